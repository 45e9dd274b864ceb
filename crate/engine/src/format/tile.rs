//! Tiles: eight rows × 32 columns, scales beside the quants they belong to, so that kernels read one stream front to
//! back; and the matrices made of them.

use super::block::{Quantized, Tile};
use super::quants::{Bits, Bytes, Coded, Crumbs, GROUP, Joined, Nibbles, Quants, TILE_COLUMNS};
use super::scales::{Centred, Scale, ScaleMin, ScaleMins, Scales};

/// A tile of these scales and quants.
#[derive(Clone)]
#[repr(C)]
pub struct TileOf<S, Q> {
    /// `d`, and `m` or the offset.
    pub scales: S,
    /// `q`.
    pub quants: Q,
}

/// Two bits, a scale and a minimum for 16 columns: 4 bits a weight.
pub type Tile2 = TileOf<ScaleMins, Crumbs>;
/// Three bits less 4, a scale for 16 columns: 4 bits a weight.
pub type Tile3 = TileOf<Centred<4>, Joined<Crumbs, Bits>>;
/// Four bits, a scale and a minimum for 32 columns: 5 bits a weight.
pub type Tile4 = TileOf<ScaleMin, Nibbles>;
/// Four bits less 8, a scale for 32 columns: 4.5 bits a weight.
pub type Tile4Centred = TileOf<Scale<8>, Nibbles>;
/// Four bits through a codebook, a scale for 32 columns: 4.5 bits a weight.
pub type TileCoded = TileOf<Scale<0>, Coded>;
/// Five bits, a scale and a minimum for 32 columns: 6 bits a weight.
pub type Tile5 = TileOf<ScaleMin, Joined<Nibbles, Bits>>;
/// Five bits less 16, a scale for 32 columns: 5.5 bits a weight.
pub type Tile5Centred = TileOf<Scale<16>, Joined<Nibbles, Bits>>;
/// Six bits less 32, a scale for 16 columns: 7 bits a weight.
pub type Tile6 = TileOf<Centred<32>, Joined<Nibbles, Crumbs>>;
/// Eight signed bits, a scale for 32 columns: 8.5 bits a weight.
pub type Tile8 = TileOf<Scale<0>, Bytes>;

const _: () = assert!(size_of::<Tile2>() == 128);
const _: () = assert!(size_of::<Tile3>() == 128);
const _: () = assert!(size_of::<Tile4>() == 160);
const _: () = assert!(size_of::<Tile4Centred>() == 144);
const _: () = assert!(size_of::<TileCoded>() == 144);
const _: () = assert!(size_of::<Tile5>() == 192);
const _: () = assert!(size_of::<Tile5Centred>() == 176);
const _: () = assert!(size_of::<Tile6>() == 224);
const _: () = assert!(size_of::<Tile8>() == 272);

impl<S: Scales, Q: Quants> Tile for TileOf<S, Q> {
    const ZERO: Self = Self { scales: S::ZERO, quants: Q::ZERO };
    const PARTS: usize = S::PARTS;

    fn value(code: u8) -> i8 {
        Q::value(code)
    }

    #[inline]
    fn set(&mut self, lane: usize, scale: impl Fn(usize) -> (f32, f32), code: impl Fn(usize) -> u8) {
        for part in 0..S::PARTS {
            let (d, m) = scale(part);
            self.scales.set(lane, part, d, m);
        }
        self.quants.set(lane, code);
    }

    fn overflowed(&self) -> bool {
        self.scales.overflowed()
    }

    fn decode(&self, lane: usize, out: &mut [f32]) {
        for part in 0..S::PARTS {
            let (d, m) = self.scales.get(lane, part);
            let columns = part * TILE_COLUMNS / S::PARTS..(part + 1) * TILE_COLUMNS / S::PARTS;
            for column in columns {
                out[column] = d * f32::from(Q::value(self.quants.code(lane, column))) + m;
            }
        }
    }
}

/// A matrix of tiles, (groups of eight rows, columns / 32); rows are padded with zeros to whole groups.
pub struct Packed<T> {
    pub(crate) rows: usize,
    /// Tiles of a group.
    pub(crate) blocks: usize,
    pub(crate) tiles: Vec<T>,
}

impl<T: Tile> Packed<T> {
    /// An empty matrix with room for `rows` × `cols`; `cols` is a multiple of 32.
    pub fn with_capacity(rows: usize, cols: usize) -> Self {
        let blocks = cols / TILE_COLUMNS;
        Self { rows: 0, blocks, tiles: Vec::with_capacity(rows.div_ceil(GROUP) * blocks) }
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.blocks * TILE_COLUMNS
    }

    /// Groups of eight rows.
    pub fn groups(&self) -> usize {
        self.rows.div_ceil(GROUP)
    }

    /// The tiles of one group, block by block.
    #[inline]
    pub(crate) fn group(&self, group: usize) -> &[T] {
        &self.tiles[group * self.blocks..][..self.blocks]
    }

    /// Appends up to [`GROUP`] rows from the file's bytes; fewer only at the end of the matrix. False where a scale is
    /// infinite or beyond the largest half.
    #[must_use]
    pub fn push_group<B: Quantized<Tile = T>>(&mut self, raw: &[u8]) -> bool {
        let row_bytes = self.blocks * TILE_COLUMNS / B::WIDTH * B::BYTES;
        let tiles_a_block = B::WIDTH / TILE_COLUMNS;
        let rows = raw.len() / row_bytes;
        assert!(rows <= GROUP && self.rows.is_multiple_of(GROUP), "groups are pushed whole, in order");
        let first = self.tiles.len();
        self.tiles.resize(first + self.blocks, T::ZERO);
        for (index, tile) in self.tiles[first..].iter_mut().enumerate() {
            let block = index / tiles_a_block * B::BYTES;
            let within = index % tiles_a_block;
            for lane in 0..rows {
                let bytes = &raw[lane * row_bytes + block..][..B::BYTES];
                let scale = |part| B::scale(bytes, within * T::PARTS + part);
                tile.set(lane, scale, |column| B::code(bytes, within * TILE_COLUMNS + column));
            }
        }
        self.rows += rows;
        !self.tiles[first..].iter().any(T::overflowed)
    }

    /// Writes row `row`, dequantised, to `out` (cols,).
    pub fn dequantize_row(&self, row: usize, out: &mut [f32]) {
        for (tile, out) in self.group(row / GROUP).iter().zip(out.chunks_exact_mut(TILE_COLUMNS)) {
            tile.decode(row % GROUP, out);
        }
    }
}
