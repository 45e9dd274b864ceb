//! The unit of time.

use serde::{Deserialize, Serialize};

/// Milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ms(pub f64);

impl std::ops::Add for Ms {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::ops::Sub for Ms {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl std::iter::Sum for Ms {
    fn sum<I: Iterator<Item = Self>>(times: I) -> Self {
        Self(times.map(|t| t.0).sum())
    }
}
