//! Whether a model fits in memory, and how fast it can be read from there.

mod footprint;
mod quantisation;

pub use footprint::{decode_ceiling, memory_needed, weight_bytes};
pub use quantisation::{
    DecodeRow, HARDWARE, Hardware, KvCache, SCHEMES, Scheme, decode_table, used_bandwidth,
};
