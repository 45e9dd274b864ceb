//! Whether a model fits, and how fast it can be read.

use crate::units::{Bytes, BytesPerSecond, TokensPerSecond};

/// Memory to have free for weights of this size, 1.5 × the weights (the source article's rule).
pub fn memory_needed(weights: Bytes) -> Bytes {
    Bytes(1.5 * weights.0)
}

/// Bytes of `parameters` weights at `bits` each.
pub fn weight_bytes(parameters: f64, bits: f64) -> Bytes {
    Bytes(parameters * bits / 8.0)
}

/// Most tokens a second when every token reads all weights once; `None` for weights of no size.
pub fn decode_ceiling(bandwidth: BytesPerSecond, weights: Bytes) -> Option<TokensPerSecond> {
    (weights.0 > 0.0).then(|| TokensPerSecond(bandwidth.0 / weights.0))
}
