// The buffers that choosing a token reads and writes.
@group(1) @binding(0) var<storage, read> logits: array<f32>;
// Candidates that a chunk of the vocabulary leaves: (bits of the logit, id). An id kept as a float would be a
// subnormal, which adapters may turn into zero.
@group(1) @binding(1) var<storage, read_write> candidates: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> ids: array<u32>;
// One bit an entry of the vocabulary: whether it was in the prompt or the answer.
@group(1) @binding(3) var<storage, read_write> seen: array<u32>;

const LOWEST = -3e38;

// A logit after the repetition penalty; LOWEST past the end.
fn penalized(id: u32) -> f32 {
    if id >= batch.model.vocabulary {
        return LOWEST;
    }
    let logit = logits[id];
    if batch.choice.penalty == 1.0 || ((seen[id / 32u] >> (id % 32u)) & 1u) == 0u {
        return logit;
    }
    return select(logit * batch.choice.penalty, logit / batch.choice.penalty, logit > 0.0);
}

// Whether a comes before b: the larger logit, of equals the smaller id.
fn comes_before(a: vec2<u32>, b: vec2<u32>) -> bool {
    let x = bitcast<f32>(a.x);
    let y = bitcast<f32>(b.x);
    return x > y || (x == y && a.y < b.y);
}

fn candidate(id: u32) -> vec2<u32> {
    return vec2<u32>(bitcast<u32>(penalized(id)), id);
}

fn nothing() -> vec2<u32> {
    return vec2<u32>(bitcast<u32>(LOWEST), 0xffffffffu);
}

fn choose(id: u32) {
    ids[batch.write] = id;
    // Where no logit is a number there is nothing to choose, and whoever reads the id sees that.
    if id < batch.model.vocabulary {
        seen[id / 32u] |= 1u << (id % 32u);
    }
}
