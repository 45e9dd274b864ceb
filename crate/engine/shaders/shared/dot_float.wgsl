// Dot products of quants with activations as they are, in floats: the plain way, and the exact one.
const QUANTIZED = false;

// vec4 that a staged block of activations takes.
const STAGED = BLOCK4;

// The sums over a block.
alias Sum = f32;

// A staged block of activations.
struct Block {
    at: u32,
}

fn block_at(at: u32) -> Block {
    return Block(at);
}

// Columns 4·j to 4·j + 3 of it.
alias Part = vec4<f32>;

fn part_at(x: Block, j: u32) -> Part {
    return bitcast<vec4<f32>>(staged[x.at + j]);
}

fn part_dot(w: Words, x: Part, j: u32) -> Sum {
    return dot(part_of(w, j), x);
}
