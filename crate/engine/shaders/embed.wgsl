// Rows of the embedding, dequantised and scaled into the residual stream: one invocation for four columns of a token.
// Reference: quant::Matrix::dequantize_row.
@group(2) @binding(0) var<storage, read> ids: array<u32>;
@group(2) @binding(1) var<storage, read_write> residual: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn embed(@builtin(global_invocation_id) global: vec3<u32>) {
    let columns4 = shape.blocks * BLOCK4;
    let token = global.x / columns4;
    if token >= batch.tokens {
        return;
    }
    let id = ids[batch.read + token];
    if id < shape.first || id >= shape.first + shape.rows {
        return;
    }
    let index = global.x % columns4;
    let row = id - shape.first;
    let cell = row / GROUP_ROWS * shape.blocks + index / BLOCK4;
    let lane = row % GROUP_ROWS;
    let quants = part_of(words_of(cell, lane), index % BLOCK4);
    var weights = quants;
    if PACKING <= PACKING_SCALED {
        let scale = scale_of(cell, lane);
        weights = scale.x * quants + scale.y;
    }
    residual[global.x] = weights * batch.model.embedding_scale;
}
