// Dot products of a block four bytes at a time, by the language feature packed_4x8_integer_dot_product, with
// activations quantised to bytes as the CPU's kernels do.
const QUANTIZED = true;

// vec4 that a staged block of activations takes.
const STAGED = 2u;

struct Weights {
    low: vec4<u32>,
    high: vec4<u32>,
}

fn weights_of(cell: u32, lane: u32) -> Weights {
    if BITS == 4u {
        let w = quants[cell * LANES + lane];
        return Weights(w & vec4<u32>(0x0f0f0f0fu), (w >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu));
    }
    return Weights(quants[cell * 2u * LANES + lane], quants[(cell * 2u + 1u) * LANES + lane]);
}

// Σ weight · activation over the block staged from `at` on.
fn block_dot(w: Weights, at: u32) -> f32 {
    let low = staged[at];
    let high = staged[at + 1u];
    let first = dot4I8Packed(w.low.x, low.x) + dot4I8Packed(w.low.y, low.y) + dot4I8Packed(w.low.z, low.z)
        + dot4I8Packed(w.low.w, low.w);
    let second = dot4I8Packed(w.high.x, high.x) + dot4I8Packed(w.high.y, high.y)
        + dot4I8Packed(w.high.z, high.z) + dot4I8Packed(w.high.w, high.w);
    return f32(first + second);
}
