// Rotates queries and keys by position, scales queries by 1/√head_dim, and writes keys and values to the cache:
// one invocation for a pair of neighbouring elements. Reference: cpu::reference::rope.

// A batch's (queries, keys, values), row after row.
@group(1) @binding(0) var<storage, read_write> qkv: array<vec2<f32>>;
// (cos, sin) by (position, rope_dim / 2).
@group(1) @binding(1) var<storage, read> angles: array<vec2<f32>>;
@group(1) @binding(2) var<storage, read_write> cache: array<u32>;

fn rotated(v: vec2<f32>, position: u32, pair: u32) -> vec2<f32> {
    if pair >= batch.model.rope_dim / 2u {
        return v;
    }
    let angle = angles[position * (batch.model.rope_dim / 2u) + pair];
    return vec2<f32>(v.x * angle.x - v.y * angle.y, v.x * angle.y + v.y * angle.x);
}

fn store(word: u32, v: vec2<f32>) {
    if HALVES {
        cache[word] = pack2x16float(v);
    } else {
        cache[word] = bitcast<u32>(v.x);
        cache[word + 1u] = bitcast<u32>(v.y);
    }
}

@compute @workgroup_size(WORKGROUP)
fn rope_append(@builtin(global_invocation_id) global: vec3<u32>) {
    let pairs = batch.model.head_dim / 2u;
    let stride = (batch.model.heads + 2u * batch.model.kv_heads) * pairs;
    let token = global.x / stride;
    if token >= batch.tokens {
        return;
    }
    let position = batch.position + token;
    let head = global.x % stride / pairs;
    let pair = global.x % pairs;
    let v = qkv[global.x];
    if head < batch.model.heads {
        qkv[global.x] = rotated(v, position, pair) * inverseSqrt(f32(batch.model.head_dim));
    } else if head < batch.model.heads + batch.model.kv_heads {
        store(cache_word(KEYS, head - batch.model.heads, position, pair * 2u), rotated(v, position, pair));
    } else {
        store(cache_word(VALUES, head - batch.model.heads - batch.model.kv_heads, position, pair * 2u), v);
    }
}
