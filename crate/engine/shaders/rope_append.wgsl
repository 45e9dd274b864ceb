// Between the product of queries, keys and values and attention: adds biases, norms each head of queries and keys,
// rotates both by position, scales queries, and writes keys and values to the cache. One workgroup a head and token.
// References: cpu::reference::{rms_norm, rope}.
override BIASED: bool;
override NORMED: bool;

struct Heads {
    // Leading part of a head that is rotated; 0 where none is.
    rope_dim: u32,
    // Factor of the queries.
    query_scale: f32,
}

// A batch's (queries, keys, values), row after row.
@group(1) @binding(0) var<storage, read_write> qkv: array<vec2<f32>>;
// (cos, sin) by (position, rope_dim / 2).
@group(1) @binding(1) var<storage, read> angles: array<vec2<f32>>;
@group(1) @binding(2) var<storage, read_write> cache: array<u32>;
@group(1) @binding(3) var<storage, read> of_layer: Heads;
// Where BIASED, one bias an element of a row of `qkv`; then, where NORMED, the norms' weights for a head of queries and
// for a head of keys.
@group(1) @binding(4) var<storage, read> vectors: array<vec2<f32>>;

var<workgroup> squares: array<f32, WORKGROUP>;

// Pair `pair` of a head whose first pair stands at `first` in a row, and that row at `row`.
fn biased(row: u32, first: u32, pair: u32) -> vec2<f32> {
    let v = qkv[row + first + pair];
    if BIASED {
        return v + vectors[first + pair];
    }
    return v;
}

// 1 / rms of a head, for every invocation.
fn inverse_rms(row: u32, first: u32, local: u32) -> f32 {
    var square = 0.0;
    for (var pair = local; pair < batch.model.head_dim / 2u; pair += WORKGROUP) {
        let v = biased(row, first, pair);
        square += dot(v, v);
    }
    squares[local] = square;
    workgroupBarrier();
    var total = 0.0;
    for (var other = 0u; other < WORKGROUP; other++) {
        total += squares[other];
    }
    return inverseSqrt(total / f32(batch.model.head_dim) + batch.model.eps);
}

fn rotated(v: vec2<f32>, position: u32, pair: u32) -> vec2<f32> {
    if pair >= of_layer.rope_dim / 2u {
        return v;
    }
    let angle = angles[position * (of_layer.rope_dim / 2u) + pair];
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
fn rope_append(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let pairs = batch.model.head_dim / 2u;
    let keys = batch.model.heads;
    let values = keys + batch.model.kv_heads;
    let head = workgroup.x;
    let token = workgroup.y;
    let position = batch.position + token;
    let row = token * (values + batch.model.kv_heads) * pairs;
    var factor = 1.0;
    if NORMED {
        factor = inverse_rms(row, head * pairs, local);
    }
    for (var pair = local; pair < pairs; pair += WORKGROUP) {
        var v = biased(row, head * pairs, pair);
        if head >= values {
            store(cache_word(VALUES, head - values, position, pair * 2u), v);
            continue;
        }
        if NORMED {
            let norms = select(0u, (values + batch.model.kv_heads) * pairs, BIASED);
            v *= factor * vectors[norms + select(0u, pairs, head >= keys) + pair];
        }
        v = rotated(v, position, pair);
        if head >= keys {
            store(cache_word(KEYS, head - keys, position, pair * 2u), v);
        } else {
            qkv[row + head * pairs + pair] = v * of_layer.query_scale;
        }
    }
}
