//! Quantisation and memory: what a scheme stores, how fast it can be read, and how the cache grows.

use figures::Kind;
use serde::Serialize;

use super::footprint::decode_ceiling;
use crate::units::{Bytes, BytesPerSecond, Gigabytes, Share, TokensPerSecond};

const ARTICLE: &str = "the source article's table for a 7B model";
const ARTICLE_DATE: &str = "2026-04-09";

/// One way to store weights, as the source article tells it; every cell is its claim, checked by nobody.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scheme {
    /// Name.
    pub name: &'static str,
    /// Weights of a 7B model.
    pub size: Gigabytes,
    /// Memory read for a token, as the article has it, of FP16.
    pub claimed_bandwidth: Share,
    /// Bits of a weight with its block's scales, by llama.cpp's table of quantisations, where the article's scheme is
    /// one of them; the article counts whole bits.
    pub bits_per_weight: Option<f64>,
    /// Least and most change of the MMLU score, points.
    pub mmlu: (f64, f64),
    /// Least and most speed, times FP16.
    pub speed: (f64, f64),
    /// Where the row comes from.
    pub source: &'static str,
    /// Its date.
    pub retrieved: &'static str,
    /// Kind of figure.
    pub kind: Kind,
}

const fn scheme(
    name: &'static str,
    gigabytes: f64,
    bandwidth: f64,
    mmlu: (f64, f64),
    speed: (f64, f64),
) -> Scheme {
    Scheme {
        name,
        size: Gigabytes(gigabytes),
        claimed_bandwidth: Share(bandwidth),
        bits_per_weight: None,
        mmlu,
        speed,
        source: ARTICLE,
        retrieved: ARTICLE_DATE,
        kind: Kind::SeedClaim,
    }
}

/// The article's schemes, FP16 first.
pub const SCHEMES: [Scheme; 5] = [
    scheme("FP16", 14.0, 1.0, (0.0, 0.0), (1.0, 1.0)),
    scheme("INT8", 7.0, 0.5, (-1.5, -0.5), (1.6, 2.0)),
    scheme("FP8", 7.0, 0.5, (-0.8, -0.2), (1.8, 2.2)),
    Scheme { bits_per_weight: Some(4.84), ..scheme("Q4_K_M", 4.1, 0.25, (-3.5, -1.5), (2.5, 3.5)) },
    scheme("Q4_0", 3.8, 0.23, (-6.0, -3.0), (3.0, 4.0)),
];

impl Scheme {
    /// Its size ÷ that of FP16: what a token really reads, 29.3 % for Q4_K_M where the article says 25 %.
    pub fn share_of_fp16(&self) -> Share {
        Share(self.size.0 / SCHEMES[0].size.0)
    }
}

/// A named kind of memory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Hardware {
    /// Name.
    pub name: &'static str,
    /// Memory bandwidth.
    pub bandwidth: BytesPerSecond,
    /// Where the figure comes from.
    pub source: &'static str,
    /// Kind of figure.
    pub kind: Kind,
}

const fn hardware(name: &'static str, gigabytes: f64, source: &'static str, kind: Kind) -> Hardware {
    Hardware { name, bandwidth: BytesPerSecond(gigabytes * 1e9), source, kind }
}

/// Kinds of memory, slowest first.
pub const HARDWARE: [Hardware; 6] = [
    hardware("NPU, low", 50.0, "the source article, 2026-04-09", Kind::SeedClaim),
    hardware(
        "Phone, LPDDR5X-8533",
        68.3,
        "arithmetic: 8,533 million transfers a second on 64 bits",
        Kind::Assumed,
    ),
    hardware(
        "Laptop, DDR5-5600, two channels",
        89.6,
        "arithmetic: 5,600 million transfers a second on 128 bits",
        Kind::Assumed,
    ),
    hardware("NPU, high", 150.0, "the source article, 2026-04-09", Kind::SeedClaim),
    hardware(
        "H100 PCIe",
        2_000.0,
        "NVIDIA product brief PB-11133: more than 2,000 GB/s; the article's 900 GB/s is NVLink",
        Kind::Cited,
    ),
    hardware("H100 SXM", 3_350.0, "kavanaghpatrick/gpu-forge issue 14: 3.35 TB/s", Kind::Cited),
];

/// How fast a kind of memory lets a model decode at most, beside what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DecodeRow {
    /// Which memory.
    pub hardware: Hardware,
    /// Bandwidth ÷ bytes read for a token.
    pub ceiling: TokensPerSecond,
    /// Measured speed ÷ ceiling.
    pub measured: Option<f64>,
}

/// The highest decode speed of every kind of memory; nothing for a token that reads nothing.
pub fn decode_table(bytes_per_token: Bytes, measured: Option<TokensPerSecond>) -> Vec<DecodeRow> {
    let row = |hardware: Hardware| {
        let ceiling = decode_ceiling(hardware.bandwidth, bytes_per_token)?;
        Some(DecodeRow { hardware, ceiling, measured: measured.map(|speed| speed.0 / ceiling.0) })
    };
    HARDWARE.into_iter().filter_map(row).collect()
}

/// Bandwidth that a measured speed uses: tokens/s · bytes read for a token.
pub fn used_bandwidth(speed: TokensPerSecond, bytes_per_token: Bytes) -> BytesPerSecond {
    BytesPerSecond(speed.0 * bytes_per_token.0)
}

/// Shape of a key-value cache.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KvCache {
    /// Layers.
    pub layers: u32,
    /// Key-value heads of a layer.
    pub kv_heads: u32,
    /// Elements of a head.
    pub head_dim: u32,
    /// Bytes of an element: 2 for f16.
    pub bytes_per_element: f64,
}

impl KvCache {
    /// Cache of a context: 2 (keys and values) · layers · heads · head size · bytes · tokens.
    pub fn bytes(&self, context: u32) -> Bytes {
        let elements = f64::from(self.layers) * f64::from(self.kv_heads) * f64::from(self.head_dim);
        Bytes(2.0 * elements * self.bytes_per_element * f64::from(context))
    }
}
