// A batch's rows for matmul.wgsl, normed or merged on the way, and quantised to bytes per block where its dot
// product wants that. One workgroup a token. References: cpu::reference::{rms_norm, quantize}.
override QUANTIZED: bool;

@group(2) @binding(2) var<storage, read_write> values_out: array<vec4<u32>>;
// Of each block: the scale of its values, and their sum.
@group(2) @binding(3) var<storage, read_write> factors_out: array<vec2<f32>>;

var<workgroup> squares: array<f32, WORKGROUP>;

fn value4(token: u32, index: u32) -> vec4<f32> {
    let v = input4(batch.row + token, index, shape.blocks * BLOCK4);
    if PROLOGUE == NORM {
        return v * norm_weight[index];
    }
    return v;
}

// 1 / rms of the row, for every invocation.
fn inverse_rms(token: u32, local: u32) -> f32 {
    var square = 0.0;
    for (var index = local; index < shape.blocks * BLOCK4; index += WORKGROUP) {
        let v = input4(batch.row + token, index, shape.blocks * BLOCK4);
        square += dot(v, v);
    }
    squares[local] = square;
    workgroupBarrier();
    var total = 0.0;
    for (var other = 0u; other < WORKGROUP; other++) {
        total += squares[other];
    }
    return inverseSqrt(total / f32(shape.blocks * BLOCK) + batch.model.eps);
}

@compute @workgroup_size(WORKGROUP)
fn prepare(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let token = workgroup.x;
    var factor = 1.0;
    if PROLOGUE == NORM {
        factor = inverse_rms(token, local);
    }
    for (var block = local; block < shape.blocks; block += WORKGROUP) {
        if QUANTIZED {
            quantize_block(token, block, factor);
        } else {
            copy_block(token, block, factor);
        }
    }
}

fn copy_block(token: u32, block: u32, factor: f32) {
    var sum = 0.0;
    for (var j = 0u; j < BLOCK4; j++) {
        let v = value4(token, block * BLOCK4 + j) * factor;
        sum += sum4(v);
        values_out[(token * shape.blocks + block) * BLOCK4 + j] = bitcast<vec4<u32>>(v);
    }
    factors_out[token * shape.blocks + block] = vec2<f32>(1.0, sum);
}

fn quantize_block(token: u32, block: u32, factor: f32) {
    var peak = 0.0;
    for (var j = 0u; j < BLOCK4; j++) {
        peak = max(peak, largest(value4(token, block * BLOCK4 + j)));
    }
    let inverse = select(0.0, 127.0 / peak, peak > 0.0);
    var sum = 0.0;
    for (var half = 0u; half < 2u; half++) {
        let at = block * BLOCK4 + half * 4u;
        let a = quantized(value4(token, at), inverse);
        let b = quantized(value4(token, at + 1u), inverse);
        let c = quantized(value4(token, at + 2u), inverse);
        let d = quantized(value4(token, at + 3u), inverse);
        sum += sum4(a + b + c + d);
        let words = vec4<u32>(packed(a), packed(b), packed(c), packed(d));
        values_out[(token * shape.blocks + block) * 2u + half] = words;
    }
    let scale = peak / 127.0 * factor;
    factors_out[token * shape.blocks + block] = vec2<f32>(scale, scale * sum);
}
