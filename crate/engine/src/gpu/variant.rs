//! Ways of doing the same multiplication, between which a measurement on the device chooses.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// How partial sums of a row meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Through workgroup memory and barriers; every adapter has it.
    Workgroup,
    /// Between the lanes of a subgroup.
    Subgroup,
}

/// How quants are multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dot {
    /// As floats, which hold the sums of a block exactly; every adapter has it.
    Float,
    /// Four signed bytes at once, `dot4I8Packed`.
    Packed,
}

/// One variant of the decode kernels. All give the same numbers to float rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// How partial sums meet.
    pub reduction: Reduction,
    /// How quants are multiplied.
    pub dot: Dot,
    /// Rows a workgroup computes: 8, 16, 32 or 64.
    pub rows: u32,
    /// Invocations that share a row; `rows × slices` is at most 256.
    pub slices: u32,
}

impl Variant {
    /// What every adapter runs.
    pub const PLAIN: Self = Self { reduction: Reduction::Workgroup, dot: Dot::Float, rows: 64, slices: 1 };

    /// Every variant that is measured against the others.
    pub const CANDIDATES: &'static [Self] = &[
        Self::PLAIN,
        Self { dot: Dot::Packed, ..Self::PLAIN },
        Self { rows: 32, slices: 4, ..Self::PLAIN },
        Self { rows: 32, slices: 4, dot: Dot::Packed, ..Self::PLAIN },
        Self { rows: 8, slices: 16, ..Self::PLAIN },
        Self { rows: 8, slices: 16, dot: Dot::Packed, ..Self::PLAIN },
        Self { rows: 8, slices: 16, reduction: Reduction::Subgroup, dot: Dot::Float },
        Self { rows: 8, slices: 16, reduction: Reduction::Subgroup, dot: Dot::Packed },
    ];

    /// Whether activations are quantised to bytes.
    pub fn quantizes(&self) -> bool {
        self.dot == Dot::Packed
    }

    fn is_possible(&self) -> bool {
        let rows = matches!(self.rows, 8 | 16 | 32 | 64);
        let slices = self.slices.is_power_of_two() && (32..=256).contains(&(self.rows * self.slices));
        rows && slices && (self.reduction == Reduction::Workgroup || self.slices > 1)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reduction = match self.reduction {
            Reduction::Workgroup => "workgroup",
            Reduction::Subgroup => "subgroup",
        };
        let dot = match self.dot {
            Dot::Float => "float",
            Dot::Packed => "packed",
        };
        write!(f, "{reduction}-{dot}-{}x{}", self.rows, self.slices)
    }
}

impl FromStr for Variant {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::BadSetting {
            setting: "variant",
            value: text.chars().take(60).collect(),
            range: "like workgroup-float-64x1: workgroup or subgroup, float or packed, 8 to 64 rows, and slices (a power of two) that make 32 to 256 with them",
        };
        let parts: Vec<&str> = text.split('-').collect();
        let [reduction, dot, shape] = parts[..] else { return Err(bad()) };
        let reduction = match reduction {
            "workgroup" => Reduction::Workgroup,
            "subgroup" => Reduction::Subgroup,
            _ => return Err(bad()),
        };
        let dot = match dot {
            "float" => Dot::Float,
            "packed" => Dot::Packed,
            _ => return Err(bad()),
        };
        let (rows, slices) = shape.split_once('x').ok_or_else(bad)?;
        let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n <= 256).ok_or_else(bad);
        let variant = Self { reduction, dot, rows: number(rows)?, slices: number(slices)? };
        if variant.is_possible() { Ok(variant) } else { Err(bad()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_both_ways_and_others_are_refused() {
        for variant in Variant::CANDIDATES {
            assert!(variant.is_possible(), "{variant}");
            assert_eq!(variant.to_string().parse::<Variant>().unwrap(), *variant);
        }
        for bad in ["", "workgroup", "workgroup-float-7x4", "workgroup-float-64x8", "subgroup-float-64x1"] {
            let error = bad.parse::<Variant>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("variant is {bad}; it must be like")), "{error}");
        }
    }
}
