//! Ways of doing the same multiplication, between which a measurement on the device chooses.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::gpu::geometry;

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
    /// Invocations side by side, each with rows of its own: 8, 16, 32 or 64.
    pub lanes: u32,
    /// Invocations that share their rows, each taking part of the columns; `lanes × slices` is at most 256.
    pub slices: u32,
    /// Rows of an invocation: 1, 2 or 4.
    pub rows: u32,
}

impl Variant {
    /// The variant that every adapter runs.
    pub const PLAIN: Self =
        Self { reduction: Reduction::Workgroup, dot: Dot::Float, lanes: 64, slices: 1, rows: 1 };

    /// Every variant that is measured against the others.
    pub const CANDIDATES: &'static [Self] = &[
        Self::PLAIN,
        // Few loads for much arithmetic: software adapters.
        Self { lanes: 32, rows: 4, ..Self::PLAIN },
        // Many short rows at once: GPUs.
        Self { lanes: 16, slices: 8, ..Self::PLAIN },
        Self { lanes: 8, slices: 16, rows: 2, ..Self::PLAIN },
        Self { lanes: 8, slices: 16, reduction: Reduction::Subgroup, ..Self::PLAIN },
        Self { lanes: 8, slices: 16, rows: 2, reduction: Reduction::Subgroup, ..Self::PLAIN },
    ];

    /// Whether activations are quantised to bytes.
    pub fn quantizes(&self) -> bool {
        self.dot == Dot::Packed
    }

    /// The same with activations quantised to bytes.
    pub fn packed(self) -> Self {
        Self { dot: Dot::Packed, ..self }
    }

    /// Invocations of a workgroup.
    pub(in crate::gpu) fn invocations(&self) -> u32 {
        self.lanes * self.slices
    }

    fn is_possible(&self) -> bool {
        let shape = matches!((self.lanes, self.rows), (8 | 16 | 32 | 64, 1 | 2 | 4));
        // A workgroup stages its blocks at once.
        let sizes = geometry::MATVEC_BLOCKS..=geometry::MATVEC_WORKGROUP;
        let slices = self.slices.is_power_of_two() && sizes.contains(&self.invocations());
        shape && slices && (self.reduction == Reduction::Workgroup || self.slices > 1)
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
        write!(f, "{reduction}-{dot}-{}x{}x{}", self.lanes, self.slices, self.rows)
    }
}

impl FromStr for Variant {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::BadSetting {
            setting: "variant",
            value: text.chars().take(60).collect(),
            range: "like workgroup-float-64x1x1: workgroup or subgroup, float or packed, 8 to 64 lanes, slices (a power of two) that make 32 to 256 with them, 1, 2 or 4 rows",
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
        let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n <= 256).ok_or_else(bad);
        let shape = shape.split('x').map(number).collect::<Result<Vec<_>>>()?;
        let [lanes, slices, rows] = shape[..] else { return Err(bad()) };
        let variant = Self { reduction, dot, lanes, slices, rows };
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
        for bad in
            ["", "workgroup", "workgroup-float-7x8x1", "workgroup-float-64x8x1", "subgroup-float-64x1x1"]
        {
            let error = bad.parse::<Variant>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("variant is {bad}; it must be like")), "{error}");
        }
    }
}
