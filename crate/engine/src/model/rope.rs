//! Rotary positions.

use std::ops::Range;

use super::spec::Rope;

/// Angle of each rotated pair per position, (dims / 2,): 1 / (base^(2i / dims) · factor).
pub fn rope_frequencies(rope: &Rope, factors: Option<&[f32]>) -> Vec<f64> {
    let frequency = |i: usize| {
        let exponent = -2.0 * i as f64 / rope.dims as f64;
        f64::from(rope.base).powf(exponent) / factors.map_or(1.0, |f| f64::from(f[i]))
    };
    (0..rope.dims / 2).map(frequency).collect()
}

/// (cos, sin) of these positions and every rotated pair, (positions, dims / 2). Computed in f64: a GPU's own sine
/// is good to 2^-11 only.
pub fn rope_angles(frequencies: &[f64], positions: Range<usize>) -> impl Iterator<Item = (f32, f32)> {
    positions
        .flat_map(|position| frequencies.iter().map(move |f| position as f64 * f))
        .map(|angle| (angle.cos() as f32, angle.sin() as f32))
}
