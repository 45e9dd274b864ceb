//! Rotary positions.

use std::io::{Read, Seek};
use std::ops::Range;

use super::Config;
use crate::error::Result;
use crate::gguf::Gguf;
use crate::quant::read_vector;

/// Angle by which a position turns each rotated pair, (rope_dim / 2,): 1 / (base^(2i / rope_dim) · factor).
pub fn rope_frequencies(config: &Config, factors: Option<&[f32]>) -> Vec<f64> {
    let frequency = |i: usize| {
        let exponent = -2.0 * i as f64 / config.rope_dim as f64;
        f64::from(config.rope_base).powf(exponent) / factors.map_or(1.0, |f| f64::from(f[i]))
    };
    (0..config.rope_dim / 2).map(frequency).collect()
}

/// (cos, sin) of these positions and every rotated pair, (positions, rope_dim / 2). Computed in f64: a GPU's own sine
/// is good to 2^-11 only.
pub fn rope_angles(frequencies: &[f64], positions: Range<usize>) -> impl Iterator<Item = (f32, f32)> {
    positions
        .flat_map(|position| frequencies.iter().map(move |f| position as f64 * f))
        .map(|angle| (angle.cos() as f32, angle.sin() as f32))
}

/// Divisors of the rotation's frequencies, (rope_dim / 2,), where the file has them.
pub(crate) fn rope_factors<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    config: &Config,
    read_bytes: &mut dyn FnMut(u64),
) -> Result<Option<Vec<f32>>> {
    const NAME: &str = "rope_freqs.weight";
    match gguf.tensor(NAME) {
        Some(_) => read_vector(gguf, NAME, config.rope_dim / 2, read_bytes).map(Some),
        None => Ok(None),
    }
}
