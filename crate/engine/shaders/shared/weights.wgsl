// A matrix, or a stretch of its rows. The rows of a group are interleaved: vec4 `v` of block `b` of row
// `GROUP_ROWS·g + lane` lies at ((g · blocks + b) · vec4s + v) · GROUP_ROWS + lane, its scale word at
// (g · blocks + b) · GROUP_ROWS + lane: neighbouring invocations read neighbouring words.
@group(1) @binding(0) var<storage, read> quants: array<vec4<u32>>;
// Two halves a block and row: scale and minimum.
@group(1) @binding(1) var<storage, read> scales: array<u32>;

// Bits a weight takes: BITS_Q4, BITS_Q8 (both with scales), BITS_F16 or BITS_F32.
override BITS: u32;

// ggml's order: low nibbles of the 16 bytes are columns 0 to 15, high nibbles 16 to 31.
fn nibbles(word: u32, shift: u32) -> vec4<f32> {
    return vec4<f32>((vec4<u32>(word >> shift) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u));
}

fn signed_bytes(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}

fn halves(low: u32, high: u32) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(low), unpack2x16float(high));
}

// The words of one block of a row, 2 to 8 vec4 of them; the rest stay zero. Loaded whole, since some drivers load
// word by word what is asked for word by word.
struct Words {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    d: vec4<u32>,
    e: vec4<u32>,
    f: vec4<u32>,
    g: vec4<u32>,
    h: vec4<u32>,
}

// `cell` is group · blocks + block.
fn words_of(cell: u32, lane: u32) -> Words {
    let at = cell * (BITS * BLOCK / 128u) * GROUP_ROWS + lane;
    var words = Words();
    words.a = quants[at];
    if BITS > BITS_Q4 {
        words.b = quants[at + GROUP_ROWS];
    }
    if BITS > BITS_Q8 {
        words.c = quants[at + 2u * GROUP_ROWS];
        words.d = quants[at + 3u * GROUP_ROWS];
    }
    if BITS > BITS_F16 {
        words.e = quants[at + 4u * GROUP_ROWS];
        words.f = quants[at + 5u * GROUP_ROWS];
        words.g = quants[at + 6u * GROUP_ROWS];
        words.h = quants[at + 7u * GROUP_ROWS];
    }
    return words;
}

// Quants (or, of floats, values) of columns 4·j to 4·j + 3 of a block.
fn part_of(words: Words, j: u32) -> vec4<f32> {
    switch BITS {
        case BITS_Q4: { return nibbles(words.a[j % 4u], (j / 4u) * 4u); }
        case BITS_Q8: { return signed_bytes(select(words.a, words.b, j >= 4u)[j % 4u]); }
        case BITS_F16: {
            let first = select(words.a, words.b, j >= 2u);
            let second = select(words.c, words.d, j >= 6u);
            let four = select(first, second, j >= 4u);
            return select(halves(four.x, four.y), halves(four.z, four.w), j % 2u == 1u);
        }
        default: { return bitcast<vec4<f32>>(vector_of(words, j)); }
    }
}

fn vector_of(words: Words, j: u32) -> vec4<u32> {
    let ab = select(words.a, words.b, j == 1u);
    let cd = select(words.c, words.d, j == 3u);
    let ef = select(words.e, words.f, j == 5u);
    let gh = select(words.g, words.h, j == 7u);
    return select(select(ab, cd, j >= 2u), select(ef, gh, j >= 6u), j >= 4u);
}
