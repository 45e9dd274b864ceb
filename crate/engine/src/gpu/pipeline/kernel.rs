//! Which kernels there are, and how each is specialised.

use super::modules::Module;
use super::variant::{Dot, Reduction, Variant};
use crate::format::Format;
use crate::gpu::geometry;
use crate::model::{Epilogue, Projection, Prologue};

/// The variant that runs at each [`Projection`].
pub(in crate::gpu) type Variants = [Variant; Projection::ALL.len()];

/// How the weights of a matrix are stored, by the bits a weight takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub(in crate::gpu) enum Bits {
    /// Nibbles with scale and minimum.
    Q4 = geometry::BITS_Q4,
    /// Signed bytes with a scale.
    Q8 = geometry::BITS_Q8,
    F16 = geometry::BITS_F16,
    F32 = geometry::BITS_F32,
}

impl From<Format> for Bits {
    fn from(format: Format) -> Self {
        match format {
            Format::Q4_0 | Format::Q4_1 => Self::Q4,
            Format::Q8_0 => Self::Q8,
            Format::F16 => Self::F16,
            // Those without a shader of their own become floats.
            _ => Self::F32,
        }
    }
}

impl Bits {
    /// Whether weights have scales, and activations may be quantised to meet them.
    pub(in crate::gpu) fn is_quantized(self) -> bool {
        matches!(self, Self::Q4 | Self::Q8)
    }

    /// Whether activations are quantised to meet them by this dot product.
    pub(in crate::gpu) fn quantizes(self, dot: Dot) -> bool {
        self.is_quantized() && dot == Dot::Packed
    }
}

impl Prologue {
    /// The number that the shaders know it by.
    fn code(self) -> u32 {
        match self {
            Self::Gated => geometry::PLAIN,
            Self::Norm => geometry::NORM,
            Self::MergeAttention => geometry::MERGE,
        }
    }
}

impl Epilogue {
    /// The number that the shaders know it by.
    fn code(self) -> u32 {
        match self {
            Self::Store => geometry::STORE,
            Self::AddResidual => geometry::ADD,
            Self::Gate(_) => geometry::SWIGLU,
        }
    }

    /// Groups of weights that an invocation with `rows` rows computes: a gate row comes with its up row.
    pub(in crate::gpu) fn groups(self, rows: u32) -> u32 {
        if matches!(self, Self::Gate(_)) { rows.max(2) } else { rows }
    }

    /// Groups of rows of weights behind so many rows of output.
    pub(in crate::gpu) fn weight_groups(self, rows: u32) -> u32 {
        rows.div_ceil(geometry::GROUP_ROWS) * if matches!(self, Self::Gate(_)) { 2 } else { 1 }
    }
}

/// One compute pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::gpu) enum Kernel {
    Matvec(Bits, Prologue, Epilogue, Variant),
    /// `true` quantises.
    Prepare(Prologue, bool),
    Matmul(Bits, Epilogue, Dot),
    Embed(Bits),
    RopeAppend,
    Attend,
    ArgmaxChunk,
    ArgmaxAll,
    BestOfChunk,
    Draw,
}

impl Kernel {
    /// Name without the specialisation, for people.
    pub(in crate::gpu) fn name(self) -> String {
        match self {
            Self::Matvec(bits, Prologue::Norm, Epilogue::Gate(_), _) => format!("norm + gate·up {bits:?}"),
            Self::Matvec(bits, Prologue::Norm, _, _) => format!("norm + matvec {bits:?}"),
            Self::Matvec(bits, Prologue::MergeAttention, _, _) => format!("output + residual {bits:?}"),
            Self::Matvec(bits, Prologue::Gated, Epilogue::AddResidual, _) => {
                format!("down + residual {bits:?}")
            }
            Self::Matvec(bits, ..) => format!("matvec {bits:?}"),
            Self::Prepare(..) => "prepare".to_owned(),
            Self::Matmul(bits, ..) => format!("matmul {bits:?}"),
            Self::Embed(_) => "embed".to_owned(),
            Self::RopeAppend => "rope + KV append".to_owned(),
            Self::Attend => "attention".to_owned(),
            Self::ArgmaxChunk | Self::ArgmaxAll => "argmax".to_owned(),
            Self::BestOfChunk | Self::Draw => "top-k and draw".to_owned(),
        }
    }

    /// A kernel for every entry point of every module.
    pub(super) fn every_entry_point() -> Vec<Self> {
        let mut kernels = Vec::new();
        for reduction in [Reduction::Workgroup, Reduction::Subgroup] {
            for dot in [Dot::Float, Dot::Packed] {
                let variant = Variant { reduction, dot, ..Variant::PLAIN };
                kernels.push(Self::Matvec(Bits::Q4, Prologue::Gated, Epilogue::Store, variant));
            }
        }
        kernels.extend([
            Self::Prepare(Prologue::Gated, false),
            Self::Matmul(Bits::Q4, Epilogue::Store, Dot::Float),
            Self::Matmul(Bits::Q4, Epilogue::Store, Dot::Packed),
            Self::Embed(Bits::Q4),
            Self::RopeAppend,
            Self::Attend,
            Self::ArgmaxChunk,
            Self::ArgmaxAll,
            Self::BestOfChunk,
            Self::Draw,
        ]);
        kernels
    }

    /// Its module, and the entry point there.
    pub(super) fn module(self) -> (Module, &'static str) {
        match self {
            Self::Matvec(bits, _, _, variant) => {
                let module = match (bits.quantizes(variant.dot), variant.reduction) {
                    (false, Reduction::Workgroup) => Module::MatvecFloat,
                    (true, Reduction::Workgroup) => Module::MatvecPacked,
                    (false, Reduction::Subgroup) => Module::MatvecFloatSubgroup,
                    (true, Reduction::Subgroup) => Module::MatvecPackedSubgroup,
                };
                (module, "matvec")
            }
            Self::Prepare(..) => (Module::Prepare, "prepare"),
            Self::Matmul(bits, _, dot) if bits.quantizes(dot) => (Module::MatmulPacked, "matmul"),
            Self::Matmul(..) => (Module::MatmulFloat, "matmul"),
            Self::Embed(_) => (Module::Embed, "embed"),
            Self::RopeAppend => (Module::RopeAppend, "rope_append"),
            Self::Attend => (Module::Attend, "attend"),
            Self::ArgmaxChunk => (Module::Argmax, "argmax_chunk"),
            Self::ArgmaxAll => (Module::Argmax, "argmax_all"),
            Self::BestOfChunk => (Module::Sample, "best_of_chunk"),
            Self::Draw => (Module::Sample, "draw"),
        }
    }

    /// Name and value of every override. `span`: lanes of the smallest subgroup; `halves`: whether the cache holds
    /// halves.
    pub(in crate::gpu) fn constants(self, span: u32, halves: bool) -> Vec<(&'static str, f64)> {
        match self {
            Self::Matvec(bits, prologue, epilogue, variant) => {
                let mut constants = vec![
                    ("BITS", bits as u32 as f64),
                    ("PROLOGUE", prologue.code().into()),
                    ("EPILOGUE", epilogue.code().into()),
                    ("ROW_LANES", variant.lanes.into()),
                    ("SLICES", variant.slices.into()),
                    ("INVOCATIONS", variant.invocations().into()),
                    ("PER", epilogue.groups(variant.rows).into()),
                ];
                if variant.reduction == Reduction::Subgroup {
                    constants.push(("SPAN", span.into()));
                }
                constants
            }
            Self::Prepare(prologue, quantized) => {
                vec![("PROLOGUE", prologue.code().into()), ("QUANTIZED", f64::from(u8::from(quantized)))]
            }
            Self::Matmul(bits, epilogue, _) => {
                vec![("BITS", bits as u32 as f64), ("EPILOGUE", epilogue.code().into())]
            }
            Self::Embed(bits) => vec![("BITS", bits as u32 as f64)],
            Self::RopeAppend | Self::Attend => {
                vec![("HALVES", f64::from(u8::from(halves)))]
            }
            Self::ArgmaxChunk | Self::ArgmaxAll | Self::BestOfChunk | Self::Draw => Vec::new(),
        }
    }
}

/// Every kernel that a projection needs, for one token and for many.
pub(in crate::gpu) fn kernels_of(projection: Projection, bits: Bits, variant: Variant) -> [Kernel; 3] {
    let (prologue, epilogue) = projection.ends();
    [
        Kernel::Matvec(bits, prologue, epilogue, variant),
        Kernel::Matmul(bits, epilogue, variant.dot),
        Kernel::Prepare(prologue, bits.quantizes(variant.dot)),
    ]
}
