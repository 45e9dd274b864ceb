// Input of a multiplication: a row of activations, normed on the way, or attention's partials merged on the way.
override PROLOGUE: u32;

@group(2) @binding(0) var<storage, read> source: array<vec4<f32>>;
// The norm's weights; bound to something else where there is no norm.
@group(2) @binding(1) var<storage, read> norm_weight: array<vec4<f32>>;

// Columns 4·index to 4·index + 3 of a token's row of `columns4` vec4.
fn input4(token: u32, index: u32, columns4: u32) -> vec4<f32> {
    if PROLOGUE == MERGE {
        return merged(token, index, columns4);
    }
    return source[token * columns4 + index];
}

// Attention leaves a split-K partial for every split of the context and every head: a sum of values (head_dim), then
// PARTIAL_TAIL floats, of which the first are the largest score and the sum of weights relative to it.
fn merged(token: u32, index: u32, columns4: u32) -> vec4<f32> {
    let dim4 = batch.model.head_dim / 4u;
    let heads = columns4 / dim4;
    let head = index / dim4;
    let stride = dim4 + PARTIAL_TAIL / 4u;
    var peak = -1e30;
    for (var split = 0u; split < batch.splits; split++) {
        peak = max(peak, source[((token * batch.splits + split) * heads + head) * stride + dim4].x);
    }
    var total = vec4<f32>(0.0);
    var mass = 0.0;
    for (var split = 0u; split < batch.splits; split++) {
        let at = ((token * batch.splits + split) * heads + head) * stride;
        let tail = source[at + dim4];
        let weight = exp(tail.x - peak);
        total += weight * source[at + index % dim4];
        mass += weight * tail.y;
    }
    return total / mass;
}
