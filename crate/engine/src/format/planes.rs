//! Weights as a GPU's kernels read them: the quants of eight rows in one buffer, scales and further bits in another.

use super::block::{Block, Quantized};
use super::half::f32_to_f16;
use super::quants::GROUP;

/// Columns that lie together: a block of the kernels, whatever the file's blocks are.
pub const PLANE_COLUMNS: usize = 32;

/// The planes of up to eight rows (`shaders/shared/weights.wgsl`), and where in them a block goes. `quants`: (columns
/// / 32, vectors of a block, 8, 16) bytes; `scales`: (columns / 32, words of a block, 8, 4) bytes.
pub struct Planes<'a> {
    pub(super) quants: &'a mut [u8],
    pub(super) scales: &'a mut [u8],
    pub(super) lane: usize,
    pub(super) column: usize,
}

/// A format that a GPU's kernels read.
pub trait PlaneBlock: Block {
    /// Writes one block to a GPU's planes, from the planes' first column on.
    fn to_planes(block: &[u8], planes: &mut Planes);
}

/// The quants of 32 columns, as the file has them.
type Quants = [u8; PLANE_COLUMNS];

/// Scale and minimum of the first half of 32 columns, and of the second.
type Scales = [(f32, f32); 2];

impl Planes<'_> {
    /// Writes the quants of 32 columns, as many vectors of 16 bytes as `bytes` has.
    fn quants(&mut self, bytes: &[u8]) {
        let vectors = bytes.len() / 16;
        let first = self.column / PLANE_COLUMNS * vectors;
        for (vector, words) in bytes.chunks_exact(16).enumerate() {
            self.quants[((first + vector) * GROUP + self.lane) * 16..][..16].copy_from_slice(words);
        }
    }

    /// Writes a float of `bytes` at its column of the quants: 32 columns make whole vectors.
    pub(super) fn float(&mut self, bytes: &[u8]) {
        let at = self.column * bytes.len();
        self.quants[(at / 16 * GROUP + self.lane) * 16 + at % 16..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Writes a block, 32 columns at a time by one of the functions below.
    pub(super) fn block<Q: Quantized>(&mut self, block: &[u8], write: impl Fn(&mut Self, &Quants, Scales)) {
        let first = self.column;
        for column in (0..Q::WIDTH).step_by(PLANE_COLUMNS) {
            let quants = std::array::from_fn(|index| Q::code(block, column + index));
            let half = PLANE_COLUMNS / 2;
            let scales = [column, column + half].map(|column| Q::scale(block, column / Q::STEP));
            self.column = first + column;
            write(self, &quants, scales);
        }
    }

    /// Quants of four bits, `w = scale · q + minimum`, or through a codebook.
    pub(super) fn four_bits(&mut self, quants: &Quants, scales: Scales) {
        self.quants(&nibbles(quants));
        self.words([halves(scales[0])]);
    }

    /// Quants of five bits, `w = scale · q + minimum`.
    pub(super) fn five_bits(&mut self, quants: &Quants, scales: Scales) {
        self.quants(&nibbles(quants));
        self.words([halves(scales[0]), bits(quants, 4)]);
    }

    /// Signed bytes, `w = scale · q`.
    pub(super) fn eight_bits(&mut self, quants: &Quants, scales: Scales) {
        self.quants(quants);
        self.words([halves(scales[0])]);
    }

    /// Quants of two bits, `w = scale · q + minimum`, both for each half of the columns.
    pub(super) fn two_bits(&mut self, quants: &Quants, scales: Scales) {
        let [low, high] = bit_pairs(quants, 0);
        self.vector([low, high, halves(scales[0]), halves(scales[1])]);
    }

    /// Quants of three bits, `w = scale · (q − 4)`, a scale for each half of the columns.
    pub(super) fn three_bits(&mut self, quants: &Quants, [(first, _), (second, _)]: Scales) {
        let [low, high] = bit_pairs(quants, 0);
        self.vector([low, high, bits(quants, 2), halves((first, second))]);
    }

    /// Quants of six bits, `w = scale · (q − 32)`, a scale for each half of the columns.
    pub(super) fn six_bits(&mut self, quants: &Quants, [(first, _), (second, _)]: Scales) {
        self.quants(&nibbles(quants));
        let [low, high] = bit_pairs(quants, 4);
        self.words([halves((first, second)), low, high]);
    }

    fn vector(&mut self, words: [u32; 4]) {
        let mut bytes = [0; 16];
        bytes.chunks_exact_mut(4).zip(words).for_each(|(to, word)| to.copy_from_slice(&word.to_le_bytes()));
        self.quants(&bytes);
    }

    /// Writes the words of 32 columns beside their quants.
    fn words<const N: usize>(&mut self, words: [u32; N]) {
        let first = self.column / PLANE_COLUMNS * N;
        for (index, word) in words.into_iter().enumerate() {
            let at = ((first + index) * GROUP + self.lane) * 4;
            self.scales[at..][..4].copy_from_slice(&word.to_le_bytes());
        }
    }
}

/// Two halves in a word.
fn halves((low, high): (f32, f32)) -> u32 {
    u32::from(f32_to_f16(low)) | (u32::from(f32_to_f16(high)) << 16)
}

/// The low four bits of each quant: those of the first sixteen columns in the low nibbles.
fn nibbles(quants: &Quants) -> [u8; 16] {
    std::array::from_fn(|at| (quants[at] & 15) | (quants[at + 16] << 4))
}

/// Bit `bit` of each quant: that of column 4j + c is bit j of byte c, so that one shift and one mask give four columns
/// a byte each.
fn bits(quants: &Quants, bit: u32) -> u32 {
    let of = |(column, quant): (usize, &u8)| (u32::from(quant >> bit) & 1) << (column % 4 * 8 + column / 4);
    quants.iter().enumerate().map(of).fold(0, |word, bit| word | bit)
}

/// Two bits of each quant from `bit` on, a word for each half of the columns: those of column 4j + c of it are bits 2j
/// and 2j + 1 of byte c.
fn bit_pairs(quants: &Quants, bit: u32) -> [u32; 2] {
    let (low, high) = quants.split_at(PLANE_COLUMNS / 2);
    [low, high].map(|half| {
        let of = |(column, quant): (usize, &u8)| {
            (u32::from(quant >> bit) & 3) << (column % 4 * 8 + column / 4 * 2)
        };
        half.iter().enumerate().map(of).fold(0, |word, pair| word | pair)
    })
}
