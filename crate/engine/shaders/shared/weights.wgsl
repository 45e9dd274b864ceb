// A matrix, or a stretch of its rows. Eight rows are interleaved: vec4 `v` of block `b` of row `8·g + lane` lies
// at ((g · blocks + b) · VECS + v) · 8 + lane, its scale word at (g · blocks + b) · 8 + lane: neighbouring
// invocations read neighbouring words.
@group(1) @binding(0) var<storage, read> quants: array<vec4<u32>>;
// Two halves a block and row: scale and minimum.
@group(1) @binding(1) var<storage, read> scales: array<u32>;

// Bits a weight takes: 4, 8 (both with scales), 16 (halves) or 32 (floats).
override BITS: u32 = 4u;
const LANES = 8u;

// ggml's order: low nibbles of the 16 bytes are columns 0 to 15, high nibbles 16 to 31.
fn nibbles(word: u32, shift: u32) -> vec4<f32> {
    return vec4<f32>((vec4<u32>(word >> shift) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u));
}

fn signed_bytes(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}

fn halves(low: u32, high: u32) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(low), unpack2x16float(high));
}

// Quants (or, of floats, values) of columns 4·j to 4·j + 3 of a block; `cell` is group · blocks + block.
fn quants_of(cell: u32, lane: u32, j: u32) -> vec4<f32> {
    let at = cell * (BITS / 4u) * LANES + lane;
    switch BITS {
        case 4u: { return nibbles(quants[at][j % 4u], (j / 4u) * 4u); }
        case 8u: { return signed_bytes(quants[at + (j / 4u) * LANES][j % 4u]); }
        default: { return wide_of(cell, lane, j); }
    }
}

fn wide_of(cell: u32, lane: u32, j: u32) -> vec4<f32> {
    if BITS == 16u {
        let pair = quants[(cell * 4u + j / 2u) * LANES + lane];
        return select(halves(pair.x, pair.y), halves(pair.z, pair.w), j % 2u == 1u);
    }
    return bitcast<vec4<f32>>(quants[(cell * 8u + j) * LANES + lane]);
}
