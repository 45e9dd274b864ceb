// A layer's keys and values, (2, kv heads, positions, head_dim), as packed halves or as floats.
override HALVES: bool;

// Word of element `index` (even) of one of the KEYS or VALUES.
fn cache_word(half: u32, head: u32, position: u32, index: u32) -> u32 {
    let element = ((half * batch.model.kv_heads + head) * batch.model.positions + position) * batch.model.head_dim + index;
    return select(element, element / 2u, HALVES);
}
