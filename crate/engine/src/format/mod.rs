//! Weight formats, one file each: how a block lies in a GGUF file (`ggml-common.h`), its weights as floats, its place
//! in the processor's tiles, and on a GPU's planes. A new one is a file here and its lines in `kind.rs`, and a line in
//! `gguf`'s table of types.

mod block;
mod f16;
mod f32;
mod half;
mod kind;
mod planes;
mod q4_0;
mod q4_1;
mod q8_0;
#[cfg(test)]
mod tests;
mod tile;

pub use self::f16::F16;
pub use self::f32::F32;
pub use self::half::{REBIAS, f16_over_rebias, f16_to_f32, f32_to_f16};
pub use block::{Block, Tile, TileBlock};
pub use kind::Format;
pub use planes::{GROUP, PLANE_COLUMNS, Planes};
pub use q4_0::Q4_0;
pub use q4_1::Q4_1;
pub use q8_0::Q8_0;
pub use tile::{Packed, Packed4, Packed8, TILE_COLUMNS, Tile4, Tile8};
