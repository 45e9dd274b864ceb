//! The types of tensors, by ggml's numbers (`ggml.h`).

use crate::format::Format;

/// How a tensor's numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// A format with kernels.
    Known(Format),
    /// One that the container can hold and this engine has no kernels for, by name.
    Other(&'static str),
}

impl std::fmt::Display for Dtype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(format) => format.fmt(f),
            Self::Other(name) => f.write_str(name),
        }
    }
}

/// A type, the elements of a block, and its bytes.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) dtype: Dtype,
    pub(super) width: usize,
    pub(super) bytes: usize,
}

impl Kind {
    /// The type of that number.
    pub(super) fn of(number: u32) -> Option<Self> {
        let known = |format: Format| {
            let (width, bytes) = format.block();
            Kind { dtype: Dtype::Known(format), width, bytes }
        };
        let other = |name, width, bytes| Kind { dtype: Dtype::Other(name), width, bytes };
        Some(match number {
            0 => known(Format::F32),
            1 => known(Format::F16),
            2 => known(Format::Q4_0),
            3 => known(Format::Q4_1),
            6 => known(Format::Q5_0),
            7 => known(Format::Q5_1),
            8 => known(Format::Q8_0),
            9 => other("Q8_1", 32, 36),
            10 => known(Format::Q2_K),
            11 => known(Format::Q3_K),
            12 => known(Format::Q4_K),
            13 => known(Format::Q5_K),
            14 => known(Format::Q6_K),
            15 => other("Q8_K", 256, 292),
            16 => other("IQ2_XXS", 256, 66),
            17 => other("IQ2_XS", 256, 74),
            18 => other("IQ3_XXS", 256, 98),
            19 => other("IQ1_S", 256, 50),
            20 => known(Format::IQ4_NL),
            21 => other("IQ3_S", 256, 110),
            22 => other("IQ2_S", 256, 82),
            23 => known(Format::IQ4_XS),
            24 => other("I8", 1, 1),
            25 => other("I16", 1, 2),
            26 => other("I32", 1, 4),
            27 => other("I64", 1, 8),
            28 => other("F64", 1, 8),
            29 => other("IQ1_M", 256, 56),
            30 => known(Format::BF16),
            34 => other("TQ1_0", 256, 54),
            35 => other("TQ2_0", 256, 66),
            39 => other("MXFP4", 32, 17),
            _ => return None,
        })
    }
}
