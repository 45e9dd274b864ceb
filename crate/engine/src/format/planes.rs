//! Weights as a GPU's kernels read them: the quants of eight rows in one buffer, scales in another.

use super::half::f32_to_f16;

/// Rows interleaved in one group, here and in tiles.
pub const GROUP: usize = 8;

/// Columns whose quants lie together, and that share a scale and a minimum.
pub const PLANE_COLUMNS: usize = 32;

/// The planes of up to eight rows (`shaders/shared/weights.wgsl`), and where in them a block goes. `quants`: (columns
/// / 32, vectors of a block, 8, 16) bytes; `scales`: (columns / 32, 8, 2) halves, a scale and a minimum each.
pub struct Planes<'a> {
    pub(super) quants: &'a mut [u8],
    pub(super) scales: &'a mut [u8],
    pub(super) lane: usize,
    pub(super) column: usize,
}

impl Planes<'_> {
    /// Writes the quants of 32 columns, as many vectors of 16 bytes as `bytes` has.
    pub(super) fn quants(&mut self, bytes: &[u8]) {
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

    /// Writes scale and minimum of 32 columns.
    pub(super) fn scale(&mut self, scale: f32, minimum: f32) {
        let to = &mut self.scales[(self.column / PLANE_COLUMNS * GROUP + self.lane) * 4..][..4];
        to[..2].copy_from_slice(&f32_to_f16(scale).to_le_bytes());
        to[2..].copy_from_slice(&f32_to_f16(minimum).to_le_bytes());
    }
}
