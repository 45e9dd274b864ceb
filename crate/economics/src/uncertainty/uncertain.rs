//! An input with its range.

use super::distribution::{Distribution, Shape};
use crate::input::{Field, InputError};

/// An input and the values that it may turn out to have. Unit and allowed range are the field's.
#[derive(Clone, Copy)]
pub struct Uncertain {
    /// Which input.
    pub field: &'static Field,
    /// Lowest value worth considering; of a lognormal, its P10.
    pub low: f64,
    /// Most likely value; of a lognormal, a value between its percentiles, which do not depend on it.
    pub value: f64,
    /// Highest value worth considering; of a lognormal, its P90.
    pub high: f64,
    /// How likely the values between are. A fixed input is not drawn, and still has a bar in the tornado.
    pub shape: Shape,
}

impl Uncertain {
    /// # Errors
    /// Not low ≤ value ≤ high within what the field may be, or a lognormal from 0.
    pub fn new(
        field: &'static Field,
        (low, value, high): (f64, f64, f64),
        shape: Shape,
    ) -> Result<Self, InputError> {
        let Field { key, min, max, unit, .. } = *field;
        let rises = min <= low && low <= value && value <= high && high <= max;
        let lognormal = shape == Shape::Lognormal;
        if rises && !(lognormal && low <= 0.0) {
            return Ok(Self { field, low, value, high, shape });
        }
        let positive = if lognormal { ", and a lognormal's above 0" } else { "" };
        Err(InputError::Spread { key, low, value, high, min, max, unit, positive })
    }

    /// How it is drawn.
    pub fn distribution(&self) -> Distribution {
        Distribution::of(self.shape, self.low, self.value, self.high)
    }
}
