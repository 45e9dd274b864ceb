// Causal attention of one query head over one split of the context: a workgroup for (head, token, split). Its split-K
// partial is merged by whoever reads it (shared/source.wgsl). Reference: cpu::reference::attend.
// Positions that a token sees, itself the last; 0 where it sees all.
override WINDOW: u32;

@group(1) @binding(0) var<storage, read> qkv: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> cache: array<vec4<u32>>;
@group(1) @binding(2) var<storage, read_write> partials: array<vec4<f32>>;

const NOTHING = -1e30;

var<workgroup> query: array<vec4<f32>, MAX_HEAD_DIM / 4u>;
var<workgroup> scores: array<f32, SPLIT>;
var<workgroup> peaks: array<f32, WORKGROUP>;
// (group of positions, head_dim / 4), then summed over the groups.
var<workgroup> partial: array<vec4<f32>, 2u * WORKGROUP>;
var<workgroup> masses: array<f32, WORKGROUP>;

struct Eight {
    low: vec4<f32>,
    high: vec4<f32>,
}

// Elements HEAD_STEP·index and after of a key or value, eight of them.
fn eight(half: u32, head: u32, position: u32, index: u32) -> Eight {
    let at = cache_word(half, head, position, index * HEAD_STEP) / 4u;
    if HALVES {
        let w = cache[at];
        return Eight(
            vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y)),
            vec4<f32>(unpack2x16float(w.z), unpack2x16float(w.w)),
        );
    }
    return Eight(bitcast<vec4<f32>>(cache[at]), bitcast<vec4<f32>>(cache[at + 1u]));
}

// QKᵀ: the score of one position.
fn query_key(head: u32, position: u32) -> f32 {
    var sum = vec4<f32>(0.0);
    for (var index = 0u; index < batch.model.head_dim / HEAD_STEP; index++) {
        let key = eight(KEYS, head, position, index);
        sum += query[index * 2u] * key.low + query[index * 2u + 1u] * key.high;
    }
    return sum.x + sum.y + sum.z + sum.w;
}

@compute @workgroup_size(WORKGROUP)
fn attend(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let head = workgroup.x;
    let token = workgroup.y;
    let kv_head = head / (batch.model.heads / batch.model.kv_heads);
    // Positions of this split that the token sees; none in splits that lie after it, or before its window.
    var start = workgroup.z * SPLIT;
    let seen = batch.position + token + 1u;
    let end = min(seen, start + SPLIT);
    if WINDOW > 0u {
        start = max(start, max(seen, WINDOW) - WINDOW);
    }
    let count = max(end, start) - start;
    let dim4 = batch.model.head_dim / 4u;
    for (var index = local; index < dim4; index += WORKGROUP) {
        query[index] = qkv[(token * (batch.model.heads + 2u * batch.model.kv_heads) + head) * dim4 + index];
    }
    workgroupBarrier();
    var peak = NOTHING;
    for (var at = local; at < count; at += WORKGROUP) {
        let s = query_key(kv_head, start + at);
        scores[at] = s;
        peak = max(peak, s);
    }
    peaks[local] = peak;
    workgroupBarrier();
    for (var other = 0u; other < WORKGROUP; other++) {
        peak = max(peak, peaks[other]);
    }
    for (var at = local; at < count; at += WORKGROUP) {
        scores[at] = exp(scores[at] - peak);
    }
    workgroupBarrier();
    weigh_values(local, kv_head, start, count);
    workgroupBarrier();
    let to = ((token * batch.splits + workgroup.z) * batch.model.heads + head) * (dim4 + PARTIAL_TAIL / 4u);
    write_partial(local, to, peak);
}

// PV, Σ weight · value: an invocation takes eight elements of every so-manieth position.
fn weigh_values(local: u32, kv_head: u32, start: u32, count: u32) {
    let columns = batch.model.head_dim / HEAD_STEP;
    let groups = WORKGROUP / columns;
    let group = local / columns;
    if group >= groups {
        return;
    }
    var low = vec4<f32>(0.0);
    var high = vec4<f32>(0.0);
    var mass = 0.0;
    for (var at = group; at < count; at += groups) {
        let value = eight(VALUES, kv_head, start + at, local % columns);
        low += scores[at] * value.low;
        high += scores[at] * value.high;
        mass += scores[at];
    }
    partial[local * 2u] = low;
    partial[local * 2u + 1u] = high;
    masses[local] = mass;
}

// Sums over the groups of positions and writes the partial out.
fn write_partial(local: u32, to: u32, peak: f32) {
    let dim4 = batch.model.head_dim / 4u;
    let columns = batch.model.head_dim / HEAD_STEP;
    let groups = WORKGROUP / columns;
    for (var index = local; index < dim4; index += WORKGROUP) {
        var sum = vec4<f32>(0.0);
        for (var group = 0u; group < groups; group++) {
            sum += partial[group * dim4 + index];
        }
        partials[to + index] = sum;
    }
    if local == 0u {
        var mass = 0.0;
        for (var group = 0u; group < groups; group++) {
            mass += masses[group * columns];
        }
        partials[to + dim4] = vec4<f32>(peak, mass, 0.0, 0.0);
    }
}
