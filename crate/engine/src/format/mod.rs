//! Weight formats, one file each: how a block lies in a GGUF file (`ggml-common.h`), its weights as floats, its place
//! in the processor's tiles, and on a GPU's planes. A new one is a file here and its lines in `kind.rs`, and a line in
//! `gguf`'s table of types.

mod bf16;
mod bits;
mod block;
mod f16;
mod f32;
#[cfg(test)]
pub(crate) mod fixture;
mod half;
mod iq4_nl;
mod iq4_xs;
mod kind;
mod planes;
mod q2_k;
mod q3_k;
mod q4_0;
mod q4_1;
mod q4_k;
mod q5_0;
mod q5_1;
mod q5_k;
mod q6_k;
mod q8_0;
mod quants;
mod scales;
#[cfg(test)]
mod tests;
mod tile;

pub use self::bf16::{BF16, bf16_to_f32};
pub use self::f16::F16;
pub use self::f32::F32;
pub use self::half::{REBIAS, f16_over_rebias, f16_to_f32, f32_to_f16};
pub use block::{Block, Quantized, Tile};
pub use iq4_nl::IQ4_NL;
pub use iq4_xs::IQ4_XS;
pub use kind::Format;
pub use planes::{PLANE_COLUMNS, PlaneBlock, Planes};
pub use q2_k::Q2_K;
pub use q3_k::Q3_K;
pub use q4_0::Q4_0;
pub use q4_1::Q4_1;
pub use q4_k::Q4_K;
pub use q5_0::Q5_0;
pub use q5_1::Q5_1;
pub use q5_k::Q5_K;
pub use q6_k::Q6_K;
pub use q8_0::Q8_0;
pub use quants::{Bits, Bytes, CODEBOOK, Coded, Crumbs, GROUP, Joined, Nibbles, Quants, TILE_COLUMNS};
pub use scales::{Halves, Scales};
pub use tile::{
    Packed, Tile2, Tile3, Tile4, Tile4Centred, Tile5, Tile5Centred, Tile6, Tile8, TileCoded, TileOf,
};
