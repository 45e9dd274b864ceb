// y = W · x for one token, with what comes before (norm, or the merge of attention's partials) and after
// (storing, adding to the residual, a gate) in the same dispatch. References: cpu::reference::{matmul_q4, matmul_q8};
// cpu::reference::exact where activations are not quantised.
// Invocations side by side, each with rows of its own; a multiple of GROUP_ROWS.
override ROW_LANES: u32;
// Invocations that share their rows, each taking every SLICES-th block.
override SLICES: u32;
override INVOCATIONS: u32;
// Rows of an invocation, 1, 2 or 4: what it reads of x serves them all. Of an interleaved gate, half of them are gate rows.
override PER: u32;

@group(2) @binding(2) var<storage, read_write> output: array<f32>;

var<workgroup> raw: array<vec4<f32>, MATVEC_BLOCKS * BLOCK4>;
var<workgroup> staged: array<vec4<u32>, MATVEC_BLOCKS * STAGED>;
// Of each staged block: the scale of its values, and their sum.
var<workgroup> factors: array<vec2<f32>, MATVEC_BLOCKS>;
var<workgroup> squares: array<f32, MATVEC_BLOCKS>;
var<workgroup> sums: array<vec4<f32>, MATVEC_WORKGROUP>;

// Puts one block of activations into place, quantised where the dot product wants it.
fn stage(block: u32, slot: u32) {
    var peak = 0.0;
    var square = 0.0;
    var sum = 0.0;
    for (var j = 0u; j < BLOCK4; j++) {
        var v = input4(batch.row, block * BLOCK4 + j, shape.blocks * BLOCK4);
        if PROLOGUE == NORM {
            square += dot(v, v);
            v *= norm_weight[block * BLOCK4 + j];
        }
        if QUANTIZED {
            peak = max(peak, largest(v));
            raw[slot * BLOCK4 + j] = v;
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
        let at = slot * BLOCK4 + half * 4u;
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

// Adds columns 4·j to 4·j + 3 of a block, for every row of the invocation.
fn with_part(dots: vec4<Sum>, w: array<Words, 4>, block: Block, j: u32) -> vec4<Sum> {
    let x = part_at(block, j);
    var sums = dots;
    sums.x += part_dot(w[0], x, j);
    if PER > 1u {
        sums.y += part_dot(w[1], x, j);
    }
    if PER > 2u {
        sums.z += part_dot(w[2], x, j);
        sums.w += part_dot(w[3], x, j);
    }
    return sums;
}

// The staged block `slot`'s part of the sums of the invocation's rows.
fn block_sums(cells: vec4<u32>, lane: u32, slot: u32) -> vec4<f32> {
    var w = array<Words, 4>();
    w[0] = words_of(cells.x, lane);
    if PER > 1u {
        w[1] = words_of(cells.y, lane);
    }
    if PER > 2u {
        w[2] = words_of(cells.z, lane);
        w[3] = words_of(cells.w, lane);
    }
    let x = block_at(slot * STAGED);
    var dots = with_part(vec4<Sum>(), w, x, 0u);
    dots = with_part(dots, w, x, 1u);
    dots = with_part(dots, w, x, 2u);
    dots = with_part(dots, w, x, 3u);
    dots = with_part(dots, w, x, 4u);
    dots = with_part(dots, w, x, 5u);
    dots = with_part(dots, w, x, 6u);
    dots = with_part(dots, w, x, 7u);
    let sums = vec4<f32>(dots);
    if PACKING > PACKING_SCALED {
        return sums;
    }
    var scaled = vec4<f32>(scaled_sum(sums.x, cells.x, lane, slot), 0.0, 0.0, 0.0);
    if PER > 1u {
        scaled.y = scaled_sum(sums.y, cells.y, lane, slot);
    }
    if PER > 2u {
        scaled.z = scaled_sum(sums.z, cells.z, lane, slot);
        scaled.w = scaled_sum(sums.w, cells.w, lane, slot);
    }
    return scaled;
}

fn scaled_sum(sum: f32, cell: u32, lane: u32, slot: u32) -> f32 {
    let scale = scale_of(cell, lane);
    return scale.x * (sum * factors[slot].x) + scale.y * factors[slot].y;
}

@compute @workgroup_size(INVOCATIONS)
fn matvec(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let lanes = side_by_side();
    let slice = (local / lanes) % SLICES;
    let row_lane = local / (lanes * SLICES) * lanes + local % lanes;
    let group = (workgroup.x * (ROW_LANES / GROUP_ROWS) + row_lane / GROUP_ROWS) * PER;
    let lane = row_lane % GROUP_ROWS;
    // Past the last group its rows are computed once more, and not written.
    let last = weight_groups() - 1u;
    let cells = min(vec4<u32>(group) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(last)) * shape.blocks;
    var total = vec4<f32>(0.0);
    var square = 0.0;
    for (var tile = 0u; tile < shape.blocks; tile += MATVEC_BLOCKS) {
        workgroupBarrier();
        if local < MATVEC_BLOCKS && tile + local < shape.blocks {
            stage(tile + local, local);
        }
        workgroupBarrier();
        let count = min(MATVEC_BLOCKS, shape.blocks - tile);
        for (var slot = slice; slot < count; slot += SLICES) {
            total += block_sums(cells + vec4<u32>(tile + slot), lane, slot);
        }
        if PROLOGUE == NORM {
            for (var slot = 0u; slot < count; slot++) {
                square += squares[slot];
            }
        }
    }
    total = over_slices(local, slice, total);
    if PROLOGUE == NORM {
        // The norm's divisor is one for the whole row, so it can come last.
        total *= inverseSqrt(square / f32(shape.blocks * BLOCK) + batch.model.eps);
    }
    if slice == 0u {
        finish(group, lane, total);
    }
}

fn finish(group: u32, lane: u32, total: vec4<f32>) {
    if interleaved() {
        let gated = activated(total) * total.yxwz;
        write(group / 2u, lane, gated.x);
        if PER > 2u {
            write(group / 2u + 1u, lane, gated.z);
        }
        return;
    }
    write(group, lane, total.x);
    if PER > 1u {
        write(group + 1u, lane, total.y);
    }
    if PER > 2u {
        write(group + 2u, lane, total.z);
        write(group + 3u, lane, total.w);
    }
}

fn write(group: u32, lane: u32, value: f32) {
    let row = group * GROUP_ROWS + lane;
    if row >= shape.rows {
        return;
    }
    put(shape.first + row, value * shape.scale);
}
