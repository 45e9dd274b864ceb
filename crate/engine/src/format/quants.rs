//! The quants of a tile: eight rows × 32 columns interleaved, so that one vector holds the same columns of several rows.
//!
//! [`Nibbles`] are four runs of 32 bytes; in run `j`, byte `4·row + c` holds column `8j + c` in its low and
//! `8j + 4 + c` in its high nibble. Read as 16-bit lanes, the four nibble planes of a run are the column pairs (0,2),
//! (4,6), (1,3), (5,7); read as bytes, its low and high nibbles are four consecutive columns: one layout serves
//! multiply-add of 16-bit pairs (`simd128`, `avx2`) and four-byte dot products alike.
//!
//! [`Crumbs`], two bits a column, hold two such runs in 32 bytes, and [`Bits`] all four: byte `4·row + c` has the columns
//! that the nibbles have there, run after run, from its lowest bits on. Quants of other sizes are put together of these;
//! those of eight bits are runs of four columns, byte `4·row + c` for column `4j + c`.

/// Rows interleaved in one group, in tiles and in planes.
pub const GROUP: usize = 8;

/// Columns of a tile.
pub const TILE_COLUMNS: usize = 32;

/// What the nibbles of IQ4_NL and IQ4_XS stand for.
pub const CODEBOOK: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// The quants of a tile.
pub trait Quants: Clone {
    /// All codes zero.
    const ZERO: Self;

    /// The integer that a code stands for.
    #[inline]
    fn value(code: u8) -> i8 {
        code as i8
    }

    /// The code of row `lane` at `column`.
    fn code(&self, lane: usize, column: usize) -> u8;

    /// Sets row `lane`, whose columns have the codes `code`, where all is zero.
    fn set(&mut self, lane: usize, code: impl Fn(usize) -> u8);
}

/// Four bits a column.
#[derive(Clone)]
#[repr(transparent)]
pub struct Nibbles(pub [u8; GROUP * TILE_COLUMNS / 2]);

/// Two bits a column.
#[derive(Clone)]
#[repr(transparent)]
pub struct Crumbs(pub [u8; GROUP * TILE_COLUMNS / 4]);

/// A bit a column.
#[derive(Clone)]
#[repr(transparent)]
pub struct Bits(pub [u8; GROUP * TILE_COLUMNS / 8]);

/// A byte a column.
#[derive(Clone)]
#[repr(transparent)]
pub struct Bytes(pub [u8; GROUP * TILE_COLUMNS]);

/// Four bits a column that stand for a value of [`CODEBOOK`].
#[derive(Clone)]
#[repr(transparent)]
pub struct Coded(pub Nibbles);

/// Quants of which `High` holds the bits above those of `Low`.
#[derive(Clone)]
#[repr(C)]
pub struct Joined<Low, High> {
    /// The lower bits.
    pub low: Low,
    /// The upper bits.
    pub high: High,
}

/// A column's place in a plane of `bits` bits: byte and shift.
#[inline]
fn place(lane: usize, column: usize, bits: usize) -> (usize, usize) {
    let runs = 4 / bits;
    let run = column / 8;
    let four = column % 8 / 4;
    (run / runs * 32 + lane * 4 + column % 4, (run % runs * 2 + four) * bits)
}

macro_rules! plane {
    ($plane:ident, $bits:literal) => {
        impl Quants for $plane {
            const ZERO: Self = Self([0; GROUP * TILE_COLUMNS * $bits / 8]);

            #[inline]
            fn code(&self, lane: usize, column: usize) -> u8 {
                let (byte, shift) = place(lane, column, $bits);
                self.0[byte] >> shift & ((1 << $bits) - 1)
            }

            #[inline]
            fn set(&mut self, lane: usize, code: impl Fn(usize) -> u8) {
                for column in 0..TILE_COLUMNS {
                    let (byte, shift) = place(lane, column, $bits);
                    self.0[byte] |= (code(column) & ((1 << $bits) - 1)) << shift;
                }
            }
        }
    };
}
plane!(Nibbles, 4);
plane!(Crumbs, 2);
plane!(Bits, 1);

impl Quants for Bytes {
    const ZERO: Self = Self([0; GROUP * TILE_COLUMNS]);

    #[inline]
    fn code(&self, lane: usize, column: usize) -> u8 {
        self.0[column / 4 * 32 + lane * 4 + column % 4]
    }

    #[inline]
    fn set(&mut self, lane: usize, code: impl Fn(usize) -> u8) {
        for column in 0..TILE_COLUMNS {
            self.0[column / 4 * 32 + lane * 4 + column % 4] = code(column);
        }
    }
}

impl Quants for Coded {
    const ZERO: Self = Self(Nibbles::ZERO);

    #[inline]
    fn value(code: u8) -> i8 {
        CODEBOOK[usize::from(code)]
    }

    #[inline]
    fn code(&self, lane: usize, column: usize) -> u8 {
        self.0.code(lane, column)
    }

    #[inline]
    fn set(&mut self, lane: usize, code: impl Fn(usize) -> u8) {
        self.0.set(lane, code);
    }
}

macro_rules! joined {
    ($low:ident, $high:ident, $bits:literal) => {
        impl Quants for Joined<$low, $high> {
            const ZERO: Self = Self { low: $low::ZERO, high: $high::ZERO };

            #[inline]
            fn code(&self, lane: usize, column: usize) -> u8 {
                self.low.code(lane, column) | self.high.code(lane, column) << $bits
            }

            #[inline]
            fn set(&mut self, lane: usize, code: impl Fn(usize) -> u8) {
                self.low.set(lane, &code);
                self.high.set(lane, |column| code(column) >> $bits);
            }
        }
    };
}
joined!(Crumbs, Bits, 2);
joined!(Nibbles, Bits, 4);
joined!(Nibbles, Crumbs, 4);
