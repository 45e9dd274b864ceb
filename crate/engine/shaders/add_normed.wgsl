// Adds a product to the residual stream, normed: one workgroup a token. Reference: cpu::reference::rms_norm.
@group(1) @binding(0) var<storage, read> product: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> norm_weight: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read_write> residual: array<vec4<f32>>;

var<workgroup> squares: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn add_normed(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let columns4 = batch.model.width / 4u;
    let row = workgroup.x * columns4;
    var square = 0.0;
    for (var index = local; index < columns4; index += WORKGROUP) {
        let v = product[row + index];
        square += dot(v, v);
    }
    squares[local] = square;
    workgroupBarrier();
    var total = 0.0;
    for (var other = 0u; other < WORKGROUP; other++) {
        total += squares[other];
    }
    let factor = inverseSqrt(total / f32(batch.model.width) + batch.model.eps);
    for (var index = local; index < columns4; index += WORKGROUP) {
        residual[row + index] += product[row + index] * factor * norm_weight[index];
    }
}
