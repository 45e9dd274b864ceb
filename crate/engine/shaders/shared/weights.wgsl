// A matrix, or a stretch of its rows. The rows of a group are interleaved: vec4 `v` of block `b` of row
// `GROUP_ROWS·g + lane` lies at ((g · blocks + b) · VECTORS + v) · GROUP_ROWS + lane, its word `w` at
// ((g · blocks + b) · WORDS + w) · GROUP_ROWS + lane: neighbouring invocations read neighbouring words.
@group(1) @binding(0) var<storage, read> quants: array<vec4<u32>>;
// The first word of a block and row is two halves: scale and minimum, or the scales of its two halves. Then come the
// high bits of quants.
@group(1) @binding(1) var<storage, read> scales: array<u32>;

// One of PACKING_Q4 and its like, which say what lies where.
override PACKING: u32;
// vec4 and words of a block of a row.
override VECTORS: u32;
override WORDS: u32;

// ggml's order: low nibbles of the 16 bytes are columns 0 to 15, high nibbles 16 to 31.
fn nibbles(word: u32, shift: u32) -> vec4<f32> {
    return vec4<f32>((vec4<u32>(word >> shift) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u));
}

fn unsigned_bytes(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
}

fn signed_bytes(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}

fn halves(low: u32, high: u32) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(low), unpack2x16float(high));
}

// Upper halves of floats.
fn bfloats(low: u32, high: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(low << 16u, low & 0xffff0000u, high << 16u, high & 0xffff0000u));
}

// The words of one block of a row, 1 to 8 vec4 of them; the rest stay zero. Loaded whole, since some drivers load
// word by word what is asked for word by word.
struct Words {
    a: vec4<u32>,
    // The second vec4; of packings with more than one word: the second, the third, the first.
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
    let at = cell * VECTORS * GROUP_ROWS + lane;
    var words = Words();
    words.a = quants[at];
    if VECTORS > 1u {
        words.b = quants[at + GROUP_ROWS];
    }
    if VECTORS > 2u {
        words.c = quants[at + 2u * GROUP_ROWS];
        words.d = quants[at + 3u * GROUP_ROWS];
    }
    if VECTORS > 4u {
        words.e = quants[at + 4u * GROUP_ROWS];
        words.f = quants[at + 5u * GROUP_ROWS];
        words.g = quants[at + 6u * GROUP_ROWS];
        words.h = quants[at + 7u * GROUP_ROWS];
    }
    let word = cell * WORDS * GROUP_ROWS + lane;
    if WORDS > 1u {
        words.b.x = scales[word + GROUP_ROWS];
    }
    if WORDS > 2u {
        words.b.y = scales[word + 2u * GROUP_ROWS];
        words.b.z = scales[word];
    }
    return words;
}

// Scale and minimum of a block, of packings that have one each.
fn scale_of(cell: u32, lane: u32) -> vec2<f32> {
    return unpack2x16float(scales[cell * WORDS * GROUP_ROWS + lane]);
}

fn four_nibbles(words: Words, j: u32) -> u32 {
    return (words.a[j % 4u] >> ((j / 4u) * 4u)) & 0x0f0f0f0fu;
}

// Bits 0 and 1 of quants: column 4·j + c has them in byte c of word j / 4, at bit 2 · (j % 4).
fn bit_pairs(word: u32, j: u32) -> u32 {
    return (word >> (2u * (j % 4u))) & 0x03030303u;
}

// One bit of quants: column 4·j + c has it in byte c, at bit j.
fn bits(word: u32, j: u32) -> u32 {
    return (word >> j) & 0x01010101u;
}

// Four nibbles as indices of a table of signed bytes, which CODEBOOK_0 to CODEBOOK_3 hold.
fn looked_up(four: u32) -> u32 {
    let at = (vec4<u32>(four) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
    let low = select(vec4<u32>(CODEBOOK_0), vec4<u32>(CODEBOOK_1), (at & vec4<u32>(4u)) != vec4<u32>());
    let high = select(vec4<u32>(CODEBOOK_2), vec4<u32>(CODEBOOK_3), (at & vec4<u32>(4u)) != vec4<u32>());
    let bytes = (select(low, high, at >= vec4<u32>(8u)) >> ((at & vec4<u32>(3u)) * 8u)) & vec4<u32>(255u);
    return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

// Quants of columns 4·j to 4·j + 3 of a block, a byte each.
fn bytes_of(words: Words, j: u32) -> u32 {
    switch PACKING {
        case PACKING_Q4: { return four_nibbles(words, j); }
        case PACKING_Q5: { return four_nibbles(words, j) | (bits(words.b.x, j) << 4u); }
        case PACKING_IQ4: { return looked_up(four_nibbles(words, j)); }
        case PACKING_Q2: { return bit_pairs(select(words.a.x, words.a.y, j >= 4u), j); }
        case PACKING_Q3: {
            return bit_pairs(select(words.a.x, words.a.y, j >= 4u), j) | (bits(words.a.z, j) << 2u);
        }
        case PACKING_Q6: {
            return four_nibbles(words, j) | (bit_pairs(select(words.b.x, words.b.y, j >= 4u), j) << 4u);
        }
        default: { return select(words.a, words.b, j >= 4u)[j % 4u]; }
    }
}

// Columns 4·j to 4·j + 3 of a block: quants of packings up to PACKING_SCALED, weights of the others.
fn part_of(words: Words, j: u32) -> vec4<f32> {
    switch PACKING {
        case PACKING_Q4: { return nibbles(words.a[j % 4u], (j / 4u) * 4u); }
        case PACKING_Q5: { return unsigned_bytes(bytes_of(words, j)); }
        case PACKING_IQ4, PACKING_Q8: { return signed_bytes(bytes_of(words, j)); }
        case PACKING_Q2: {
            let scale = unpack2x16float(select(words.a.z, words.a.w, j >= 4u));
            return scale.x * unsigned_bytes(bytes_of(words, j)) + scale.y;
        }
        case PACKING_Q3: {
            return scale_of_half(words.a.w, j) * (unsigned_bytes(bytes_of(words, j)) - f32(Q3_CENTRE));
        }
        case PACKING_Q6: {
            return scale_of_half(words.b.z, j) * (unsigned_bytes(bytes_of(words, j)) - f32(Q6_CENTRE));
        }
        case PACKING_F16: {
            let four = sixteen_bits(words, j);
            return select(halves(four.x, four.y), halves(four.z, four.w), j % 2u == 1u);
        }
        case PACKING_BF16: {
            let four = sixteen_bits(words, j);
            return select(bfloats(four.x, four.y), bfloats(four.z, four.w), j % 2u == 1u);
        }
        default: { return bitcast<vec4<f32>>(vector_of(words, j)); }
    }
}

// Columns 0 to 15 have the first half of a word of scales, 16 to 31 the second.
fn scale_of_half(word: u32, j: u32) -> f32 {
    return unpack2x16float(word)[j / 4u];
}

// The vec4 that holds columns 4·j to 4·j + 3 in 16 bits each.
fn sixteen_bits(words: Words, j: u32) -> vec4<u32> {
    let first = select(words.a, words.b, j >= 2u);
    let second = select(words.c, words.d, j >= 6u);
    return select(first, second, j >= 4u);
}

fn vector_of(words: Words, j: u32) -> vec4<u32> {
    let ab = select(words.a, words.b, j == 1u);
    let cd = select(words.c, words.d, j == 3u);
    let ef = select(words.e, words.f, j == 5u);
    let gh = select(words.g, words.h, j == 7u);
    return select(select(ab, cd, j >= 2u), select(ef, gh, j >= 6u), j >= 4u);
}
