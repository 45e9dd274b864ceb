// Dot products of a block of quants with activations as they are, in floats: the plain way, and the exact one.
const QUANTIZED = false;

// vec4 that a staged block of activations takes.
const STAGED = 8u;

struct Weights {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
    e: vec4<f32>,
    f: vec4<f32>,
    g: vec4<f32>,
    h: vec4<f32>,
}

fn weights_of(cell: u32, lane: u32) -> Weights {
    if BITS == 4u {
        let w = quants[cell * LANES + lane];
        return Weights(
            nibbles(w.x, 0u), nibbles(w.y, 0u), nibbles(w.z, 0u), nibbles(w.w, 0u),
            nibbles(w.x, 4u), nibbles(w.y, 4u), nibbles(w.z, 4u), nibbles(w.w, 4u),
        );
    }
    if BITS == 8u {
        let w = quants[cell * 2u * LANES + lane];
        let v = quants[(cell * 2u + 1u) * LANES + lane];
        return Weights(
            signed_bytes(w.x), signed_bytes(w.y), signed_bytes(w.z), signed_bytes(w.w),
            signed_bytes(v.x), signed_bytes(v.y), signed_bytes(v.z), signed_bytes(v.w),
        );
    }
    return Weights(
        wide_of(cell, lane, 0u), wide_of(cell, lane, 1u), wide_of(cell, lane, 2u), wide_of(cell, lane, 3u),
        wide_of(cell, lane, 4u), wide_of(cell, lane, 5u), wide_of(cell, lane, 6u), wide_of(cell, lane, 7u),
    );
}

fn staged_float(at: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(staged[at]);
}

// Σ weight · activation over the block staged from `at` on.
fn block_dot(w: Weights, at: u32) -> f32 {
    var sum = w.a * staged_float(at) + w.b * staged_float(at + 1u);
    sum += w.c * staged_float(at + 2u) + w.d * staged_float(at + 3u);
    sum += w.e * staged_float(at + 4u) + w.f * staged_float(at + 5u);
    sum += w.g * staged_float(at + 6u) + w.h * staged_float(at + 7u);
    return sum4(sum);
}
