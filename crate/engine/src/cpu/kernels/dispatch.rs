//! The one place that chooses an instruction set.

use std::ops::Range;

use super::activations::{QuantizedRows, QuantizedRowsMut};
use super::{arch, reference};
use crate::cpu::pool::DisjointSlices;
use crate::format::{
    Packed, Tile, Tile2, Tile3, Tile4, Tile4Centred, Tile5, Tile5Centred, Tile6, Tile8, TileCoded,
};
use crate::model::Precision;

/// `y = W·x`: weights, activations, output, tokens, groups of eight rows. No other thread may write the output's rows
/// of these groups.
pub type Product<W> = unsafe fn(&W, QuantizedRows, &DisjointSlices<f32>, usize, Range<usize>);

/// One side of attention's products: of up to [`HEADS`](super::layout::HEADS) heads, with what the cache holds, the width
/// of a head, output.
pub type AttentionProduct = fn(&[i16], &[i16], usize, &mut [f32]);

/// The kernels of one instruction set. In WebAssembly the products are never inlined: copied into a caller with loops
/// of its own, they have been half as fast.
pub struct Kernels {
    /// Name shown to people.
    pub name: &'static str,
    /// Whether a batch of nothing but eight bits has products of its own.
    pub bytes: fn() -> bool,
    /// See [`reference::quantize`].
    pub quantize: fn(&[f32], Precision, QuantizedRowsMut),
    /// See [`reference::matmul`].
    pub products: Products,
    /// See [`reference::qk`].
    pub qk: AttentionProduct,
    /// See [`reference::pv`].
    pub pv: AttentionProduct,
}

/// [`Kernels::products`], by the weights' tile.
macro_rules! products {
    ($($field:ident: $tile:ident, $what:literal;)*) => {
        /// `y = W·x` for every kind of tile.
        pub struct Products {
            $(#[doc = $what] pub $field: Product<Packed<$tile>>,)*
        }

        $(impl Multiplied for $tile {
            fn product(products: &Products) -> Product<Packed<Self>> {
                products.$field
            }
        })*

        /// Those of one instruction set.
        macro_rules! matmuls {
            ($module:path) => {{
                use $module as module;
                Products { $($field: module::matmul,)* }
            }};
        }
    };
}
products! {
    q2: Tile2, "Two bits.";
    q3: Tile3, "Three bits.";
    q4: Tile4, "Four bits.";
    q4_centred: Tile4Centred, "Four bits less 8.";
    q4_coded: TileCoded, "Four bits through a codebook.";
    q5: Tile5, "Five bits.";
    q5_centred: Tile5Centred, "Five bits less 16.";
    q6: Tile6, "Six bits.";
    q8: Tile8, "Eight bits.";
}

/// A tile that has kernels.
pub trait Multiplied: Tile + Send + Sync + 'static {
    /// Its product.
    fn product(products: &Products) -> Product<Packed<Self>>;
}

/// The scalar references, on every target.
pub static REFERENCE: Kernels = Kernels {
    name: "scalar",
    bytes: || false,
    quantize: reference::quantize,
    products: matmuls!(super::reference),
    qk: reference::qk,
    pv: reference::pv,
};

#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
const RELAXED: Kernels = Kernels {
    name: "relaxed-simd",
    bytes: arch::relaxed::multiplies_bytes,
    quantize: arch::relaxed::quantize,
    products: matmuls!(super::arch::relaxed),
    qk: arch::pairs::qk,
    pv: arch::pairs::pv,
};

#[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
const SIMD128: Kernels = Kernels {
    name: "simd128",
    bytes: || false,
    quantize: arch::simd128::quantize,
    products: matmuls!(super::arch::simd128),
    qk: arch::pairs::qk,
    pv: arch::pairs::pv,
};

#[cfg(target_arch = "x86_64")]
static AVX2: Kernels = Kernels {
    name: "avx2",
    bytes: || false,
    quantize: arch::avx2::quantize,
    products: matmuls!(super::arch::avx2),
    qk: arch::avx2::qk,
    pv: arch::avx2::pv,
};

#[cfg(all(target_arch = "wasm32", not(target_feature = "simd128")))]
compile_error!("the wasm engine needs -Ctarget-feature=+simd128; build it with `cargo xtask build`");

/// The fastest kernels this processor has.
pub fn detect() -> &'static Kernels {
    #[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
    return &const { RELAXED };
    #[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
    return &const { SIMD128 };
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return &AVX2;
    }
    #[cfg(not(target_arch = "wasm32"))]
    &REFERENCE
}
