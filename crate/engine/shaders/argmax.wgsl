// The token with the largest logit, the first of equals: chunk by chunk, then over the chunks.
// Reference: sampler::argmax.

var<workgroup> best: array<vec2<u32>, WORKGROUP>;

fn best_of_all() -> vec2<u32> {
    var top = best[0];
    for (var other = 1u; other < WORKGROUP; other++) {
        if comes_before(best[other], top) {
            top = best[other];
        }
    }
    return top;
}

@compute @workgroup_size(WORKGROUP)
fn argmax_chunk(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var top = nothing();
    for (var at = local; at < CHUNK; at += WORKGROUP) {
        let other = candidate(workgroup.x * CHUNK + at);
        if comes_before(other, top) {
            top = other;
        }
    }
    best[local] = top;
    workgroupBarrier();
    if local == 0u {
        candidates[workgroup.x] = best_of_all();
    }
}

@compute @workgroup_size(WORKGROUP)
fn argmax_all(@builtin(local_invocation_index) local: u32) {
    let chunks = (batch.model.vocabulary + CHUNK - 1u) / CHUNK;
    var top = nothing();
    for (var at = local; at < chunks; at += WORKGROUP) {
        if comes_before(candidates[at], top) {
            top = candidates[at];
        }
    }
    best[local] = top;
    workgroupBarrier();
    if local == 0u {
        choose(best_of_all().y);
    }
}
