// A token drawn from the most probable ones: every chunk sorts its logits and leaves its best, then one workgroup
// merges them, filters by min-p and top-p, and draws. Reference: sampler::Sampler::pick.

var<workgroup> order: array<vec2<u32>, CHUNK>;

// Sorts `order`, best first, by a bitonic network.
fn sort(local: u32) {
    for (var size = 2u; size <= CHUNK; size *= 2u) {
        for (var stride = size / 2u; stride > 0u; stride /= 2u) {
            workgroupBarrier();
            for (var pair = local; pair < CHUNK / 2u; pair += SORT_WORKGROUP) {
                let low = pair / stride * stride * 2u + pair % stride;
                let descending = (low & size) == 0u;
                let a = order[low];
                let b = order[low + stride];
                if comes_before(b, a) == descending {
                    order[low] = b;
                    order[low + stride] = a;
                }
            }
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(SORT_WORKGROUP)
fn best_of_chunk(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    for (var at = local; at < CHUNK; at += SORT_WORKGROUP) {
        order[at] = candidate(workgroup.x * CHUNK + at);
    }
    sort(local);
    if local < CANDIDATES {
        candidates[workgroup.x * CANDIDATES + local] = order[local];
    }
}

@compute @workgroup_size(SORT_WORKGROUP)
fn draw(@builtin(local_invocation_index) local: u32) {
    let all = (batch.model.vocabulary + CHUNK - 1u) / CHUNK * CANDIDATES;
    if local < CANDIDATES {
        order[local] = nothing();
    }
    // The best so far stay at the front; each round brings as many more as there is room for.
    for (var base = 0u; base < all; base += CHUNK - CANDIDATES) {
        workgroupBarrier();
        for (var at = local; at < CHUNK - CANDIDATES; at += SORT_WORKGROUP) {
            if base + at < all {
                order[CANDIDATES + at] = candidates[base + at];
            } else {
                order[CANDIDATES + at] = nothing();
            }
        }
        sort(local);
    }
    if local == 0u {
        choose(drawn());
    }
}

// In the order and arithmetic of the processor's sampler.
fn drawn() -> u32 {
    let limit = min(min(batch.choice.top_k, CANDIDATES), batch.model.vocabulary);
    let best = bitcast<f32>(order[0].x) * batch.choice.inverse_temperature;
    var kept = 0u;
    var mass = 0.0;
    for (; kept < limit; kept++) {
        let probability = exp(bitcast<f32>(order[kept].x) * batch.choice.inverse_temperature - best);
        if probability < batch.choice.min_p {
            break;
        }
        order[kept].x = bitcast<u32>(probability);
        mass += probability;
    }
    if batch.choice.top_p < 1.0 {
        let wanted = batch.choice.top_p * mass;
        let had = kept;
        mass = 0.0;
        for (kept = 0u; kept < had && mass < wanted; kept++) {
            mass += bitcast<f32>(order[kept].x);
        }
    }
    var left = batch.choice.draw * mass;
    for (var at = 0u; at < kept; at++) {
        left -= bitcast<f32>(order[at].x);
        if left < 0.0 {
            return order[at].y;
        }
    }
    return order[kept - 1u].y;
}
