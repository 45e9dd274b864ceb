// A layer's keys and values, (2, kv heads, positions, head_dim), as packed halves or as floats.
override HALVES: bool = true;

// Word of element `index` (even) of a key (`what` 0) or value (1).
fn cache_word(what: u32, head: u32, position: u32, index: u32) -> u32 {
    let element = ((what * batch.model.kv_heads + head) * batch.model.positions + position) * batch.model.head_dim + index;
    return select(element, element / 2u, HALVES);
}
