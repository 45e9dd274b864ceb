// Y = W · X for a batch of tokens: 64 rows × 16 tokens a workgroup, one row an invocation, so that a block of
// weights is unpacked once for 16 tokens. X comes from prepare.wgsl. Twins: as matvec.wgsl.
override EPILOGUE: u32 = 0u;
const STORE = 0u;
const ADD = 1u;
const SWIGLU = 2u;

const ROWS = 64u;
const TOKENS = 16u;
// Blocks staged at once.
const TILE = 4u;

@group(2) @binding(0) var<storage, read> activations: array<vec4<u32>>;
@group(2) @binding(1) var<storage, read> factors_in: array<vec2<f32>>;
@group(2) @binding(2) var<storage, read_write> output: array<f32>;

// (token, block, STAGED).
var<workgroup> staged: array<vec4<u32>, TOKENS * TILE * STAGED>;
var<workgroup> factors: array<vec2<f32>, TOKENS * TILE>;

// One invocation stages one block of one token.
fn stage(token: u32, block: u32, slot: u32) {
    let at = token * shape.blocks + block;
    for (var v = 0u; v < STAGED; v++) {
        staged[slot * STAGED + v] = activations[at * STAGED + v];
    }
    factors[slot] = factors_in[at];
}

// What one staged block adds to one row of one token.
fn term(w: Weights, scale: vec2<f32>, slot: u32) -> f32 {
    let dot = block_dot(w, slot * STAGED);
    if BITS > 8u {
        return dot;
    }
    return scale.x * (dot * factors[slot].x) + scale.y * factors[slot].y;
}

// The same for four tokens from `token` on.
fn terms(w: Weights, scale: vec2<f32>, token: u32, block: u32) -> vec4<f32> {
    let slot = token * TILE + block;
    return vec4<f32>(
        term(w, scale, slot),
        term(w, scale, slot + TILE),
        term(w, scale, slot + 2u * TILE),
        term(w, scale, slot + 3u * TILE),
    );
}

struct Sums {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
}

fn added(sums: Sums, cell: u32, lane: u32, block: u32) -> Sums {
    let w = weights_of(cell, lane);
    var scale = vec2<f32>(0.0);
    if BITS <= 8u {
        scale = unpack2x16float(scales[cell * LANES + lane]);
    }
    return Sums(
        sums.a + terms(w, scale, 0u, block),
        sums.b + terms(w, scale, 4u, block),
        sums.c + terms(w, scale, 8u, block),
        sums.d + terms(w, scale, 12u, block),
    );
}

@compute @workgroup_size(ROWS)
fn matmul(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = workgroup.x * ROWS + local;
    let token = workgroup.y * TOKENS;
    let groups = (shape.rows + LANES - 1u) / LANES;
    let group = min(row / LANES, groups - 1u);
    let first = select(group, group * 2u, EPILOGUE == SWIGLU) * shape.blocks;
    let lane = row % LANES;
    var sums = Sums();
    var ups = Sums();
    for (var tile = 0u; tile < shape.blocks; tile += TILE) {
        workgroupBarrier();
        if tile + local % TILE < shape.blocks {
            stage(min(token + local / TILE, batch.tokens - 1u), tile + local % TILE, local);
        }
        workgroupBarrier();
        let count = min(TILE, shape.blocks - tile);
        for (var block = 0u; block < count; block++) {
            sums = added(sums, first + tile + block, lane, block);
            if EPILOGUE == SWIGLU {
                ups = added(ups, first + shape.blocks + tile + block, lane, block);
            }
        }
    }
    if row < shape.rows {
        let at = token * shape.stride + shape.first + row;
        finish(at, token, sums.a, ups.a);
        finish(at + 4u * shape.stride, token + 4u, sums.b, ups.b);
        finish(at + 8u * shape.stride, token + 8u, sums.c, ups.c);
        finish(at + 12u * shape.stride, token + 12u, sums.d, ups.d);
    }
}

fn finish(at: u32, token: u32, sums: vec4<f32>, ups: vec4<f32>) {
    finish_one(at, token, sums.x, ups.x);
    finish_one(at + shape.stride, token + 1u, sums.y, ups.y);
    finish_one(at + 2u * shape.stride, token + 2u, sums.z, ups.z);
    finish_one(at + 3u * shape.stride, token + 3u, sums.w, ups.w);
}

fn finish_one(at: u32, token: u32, sum: f32, up: f32) {
    if token >= batch.tokens {
        return;
    }
    switch EPILOGUE {
        case ADD: { output[at] += sum; }
        case SWIGLU: { output[at] = sum / (1.0 + exp(-sum)) * up; }
        default: { output[at] = sum; }
    }
}
