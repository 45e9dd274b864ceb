// Dot products four bytes at a time, by the language feature packed_4x8_integer_dot_product, with activations
// quantised to bytes.
const QUANTIZED = true;

// vec4 that a staged block of activations takes: sixteen bytes each.
const STAGED = BLOCK / 16u;

// The sums over a block.
alias Sum = i32;

// A staged block of activations.
struct Block {
    low: vec4<u32>,
    high: vec4<u32>,
}

fn block_at(at: u32) -> Block {
    return Block(staged[at], staged[at + 1u]);
}

// Columns 4·j to 4·j + 3 of it.
alias Part = u32;

fn part_at(x: Block, j: u32) -> Part {
    return select(x.low, x.high, j >= 4u)[j % 4u];
}

fn part_dot(w: Words, x: Part, j: u32) -> Sum {
    return dot4I8Packed(bytes_of(w, j), x);
}
