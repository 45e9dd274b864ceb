// y = W · x for one token, with what comes before (norm, or the merge of attention's pieces) and after
// (storing, adding to the residual, SwiGLU) in the same dispatch. Twins: cpu::reference::{matmul_q4, matmul_q8};
// cpu::reference::exact where activations are not quantised.
override ROWS: u32 = 64u;
// Invocations that share a row, each taking every SLICES-th block.
override SLICES: u32 = 1u;
override INVOCATIONS: u32 = 64u;
override EPILOGUE: u32 = 0u;
const STORE = 0u;
const ADD = 1u;
// Groups of eight gate rows alternate with groups of the up rows that belong to them.
const SWIGLU = 2u;

// Blocks staged at once.
const TILE = 32u;

@group(2) @binding(2) var<storage, read_write> output: array<f32>;

var<workgroup> raw: array<vec4<f32>, TILE * 8u>;
var<workgroup> staged: array<vec4<u32>, TILE * STAGED>;
// Of each staged block: the scale of its values, and their sum.
var<workgroup> factors: array<vec2<f32>, TILE>;
var<workgroup> squares: array<f32, TILE>;
var<workgroup> sums: array<vec2<f32>, 256>;

// Puts one block of activations into place, quantised where the dot product wants it.
fn stage(block: u32, slot: u32) {
    var peak = 0.0;
    var square = 0.0;
    var sum = 0.0;
    for (var j = 0u; j < 8u; j++) {
        var v = input4(batch.row, block * 8u + j, shape.blocks * 8u);
        if PROLOGUE == NORM {
            square += dot(v, v);
            v *= gain[block * 8u + j];
        }
        if QUANTIZED {
            peak = max(peak, largest(v));
            raw[slot * 8u + j] = v;
        } else {
            sum += sum4(v);
            staged[slot * STAGED + j] = bitcast<vec4<u32>>(v);
        }
    }
    squares[slot] = square;
    factors[slot] = vec2<f32>(1.0, sum);
    if QUANTIZED {
        quantize_staged(slot, peak);
    }
}

fn quantize_staged(slot: u32, peak: f32) {
    let inverse = select(0.0, 127.0 / peak, peak > 0.0);
    var sum = 0.0;
    for (var half = 0u; half < 2u; half++) {
        let at = slot * 8u + half * 4u;
        let a = quantized(raw[at], inverse);
        let b = quantized(raw[at + 1u], inverse);
        let c = quantized(raw[at + 2u], inverse);
        let d = quantized(raw[at + 3u], inverse);
        sum += sum4(a + b + c + d);
        staged[slot * STAGED + half] = vec4<u32>(packed(a), packed(b), packed(c), packed(d));
    }
    let scale = peak / 127.0;
    factors[slot] = vec2<f32>(scale, scale * sum);
}

// What the staged block `slot` adds to the row at `cell`, `lane`.
fn block_sum(cell: u32, lane: u32, slot: u32) -> f32 {
    let dot = block_dot(weights_of(cell, lane), slot * STAGED);
    if BITS > 8u {
        return dot;
    }
    let scale = unpack2x16float(scales[cell * LANES + lane]);
    return scale.x * (dot * factors[slot].x) + scale.y * factors[slot].y;
}

@compute @workgroup_size(INVOCATIONS)
fn matvec(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let lanes = side_by_side();
    let slice = (local / lanes) % SLICES;
    let row = workgroup.x * ROWS + local / (lanes * SLICES) * lanes + local % lanes;
    let groups = (shape.rows + LANES - 1u) / LANES;
    let group = min(row / LANES, groups - 1u);
    let first = select(group, group * 2u, EPILOGUE == SWIGLU) * shape.blocks;
    let lane = row % LANES;
    var total = vec2<f32>(0.0);
    var square = 0.0;
    for (var tile = 0u; tile < shape.blocks; tile += TILE) {
        workgroupBarrier();
        if local < TILE && tile + local < shape.blocks {
            stage(tile + local, local);
        }
        workgroupBarrier();
        let count = min(TILE, shape.blocks - tile);
        for (var slot = slice; slot < count; slot += SLICES) {
            total.x += block_sum(first + tile + slot, lane, slot);
            if EPILOGUE == SWIGLU {
                total.y += block_sum(first + shape.blocks + tile + slot, lane, slot);
            }
        }
        if PROLOGUE == NORM {
            for (var slot = 0u; slot < count; slot++) {
                square += squares[slot];
            }
        }
    }
    total = over_slices(local, slice, total);
    if PROLOGUE == NORM {
        // Quants do not change with a row's scale, so the norm's divisor can come last.
        total *= inverseSqrt(square / f32(shape.blocks * 32u) + batch.model.eps);
    }
    if slice == 0u && row < shape.rows {
        finish(shape.first + row, total);
    }
}

fn finish(at: u32, total: vec2<f32>) {
    switch EPILOGUE {
        case ADD: { output[at] += total.x; }
        case SWIGLU: { output[at] = total.x / (1.0 + exp(-total.x)) * total.y; }
        default: { output[at] = total.x; }
    }
}
