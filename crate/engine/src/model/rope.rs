//! Rotary positions.

use std::f64::consts::TAU;
use std::ops::Range;

use super::spec::{Rope, Scaling};

/// A rotation that is worked out.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotation {
    /// Angle of each rotated pair per position, radians, (dims / 2,).
    pub frequencies: Vec<f64>,
    /// Factor of the cosines and sines.
    pub magnitude: f32,
}

/// The rotation `rope`; `factors` are its tensor's, (dims / 2,).
pub fn rotation(rope: &Rope, factors: Option<&[f32]>) -> Rotation {
    let frequency = |i: usize| {
        let exponent = -2.0 * i as f64 / rope.dims as f64;
        let own = f64::from(rope.base).powf(exponent) / factors.map_or(1.0, |f| f64::from(f[i]));
        own * scale(rope, i)
    };
    Rotation { frequencies: (0..rope.dims / 2).map(frequency).collect(), magnitude: rope.magnitude }
}

/// Factor of the angle of pair `i`.
fn scale(rope: &Rope, i: usize) -> f64 {
    match rope.scaling {
        Scaling::Linear(factor) => 1.0 / f64::from(factor),
        Scaling::Yarn { factor, original_context, extrapolation, fast, slow } => {
            // The pair that makes so many turns within the original context, as a number between pairs.
            let pair = |turns: f32| {
                let positions_a_turn = original_context as f64 / f64::from(turns);
                rope.dims as f64 * (positions_a_turn / TAU).ln() / (2.0 * f64::from(rope.base).ln())
            };
            let first = pair(fast).floor().max(0.0);
            let last = pair(slow).ceil().min(rope.dims as f64 - 1.0);
            let slowness = ((i as f64 - first) / (last - first).max(0.001)).clamp(0.0, 1.0);
            let kept = (1.0 - slowness) * f64::from(extrapolation);
            (1.0 - kept) / f64::from(factor) + kept
        }
    }
}

/// (cos, sin) of these positions and every rotated pair, (positions, dims / 2). Computed in f64: a GPU's own sine
/// is good to 2^-11 only.
pub fn rope_angles(rotation: &Rotation, positions: Range<usize>) -> impl Iterator<Item = (f32, f32)> {
    let magnitude = f64::from(rotation.magnitude);
    positions
        .flat_map(|position| rotation.frequencies.iter().map(move |f| position as f64 * f))
        .map(move |angle| ((angle.cos() * magnitude) as f32, (angle.sin() * magnitude) as f32))
}
