//! Which kernels there are, and how each is specialised.

use super::modules::Module;
use super::variant::{Dot, Reduction, Variant};
use crate::format::Format;
use crate::gpu::geometry;
use crate::model::{Activation, Epilogue, Op, Projection, Prologue};

/// The variant that runs at each [`Projection`].
pub(in crate::gpu) type Variants = [Variant; Projection::ALL.len()];

/// How the weights of a matrix are packed (`shaders/shared/weights.wgsl`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub(in crate::gpu) enum Packing {
    Q4 = geometry::PACKING_Q4,
    Q5 = geometry::PACKING_Q5,
    Iq4 = geometry::PACKING_IQ4,
    Q8 = geometry::PACKING_Q8,
    Q2 = geometry::PACKING_Q2,
    Q3 = geometry::PACKING_Q3,
    Q6 = geometry::PACKING_Q6,
    F16 = geometry::PACKING_F16,
    Bf16 = geometry::PACKING_BF16,
    F32 = geometry::PACKING_F32,
}

impl From<Format> for Packing {
    fn from(format: Format) -> Self {
        match format {
            Format::Q4_0 | Format::Q4_1 | Format::Q4_K => Self::Q4,
            Format::Q5_0 | Format::Q5_1 | Format::Q5_K => Self::Q5,
            Format::IQ4_NL | Format::IQ4_XS => Self::Iq4,
            Format::Q8_0 => Self::Q8,
            Format::Q2_K => Self::Q2,
            Format::Q3_K => Self::Q3,
            Format::Q6_K => Self::Q6,
            Format::F16 => Self::F16,
            Format::BF16 => Self::Bf16,
            Format::F32 => Self::F32,
        }
    }
}

impl Packing {
    /// Vectors of 16 bytes, and words beside them, that a block of a row takes: together its bits.
    const fn parts(self) -> (u32, u32) {
        match self {
            Self::Q2 | Self::Q3 => (1, 0),
            Self::Q4 | Self::Iq4 => (1, 1),
            Self::Q5 => (1, 2),
            Self::Q6 => (1, 3),
            Self::Q8 => (2, 1),
            Self::F16 | Self::Bf16 => (4, 0),
            Self::F32 => (8, 0),
        }
    }

    /// Bytes of quants, and of scales, of one block of one row.
    pub(in crate::gpu) fn block_bytes(self) -> (usize, usize) {
        let (vectors, words) = self.parts();
        (vectors as usize * 16, words as usize * 4)
    }

    /// Whether activations are quantised to meet them by this dot product: those with one scale and one minimum a
    /// block, which are those of the activations too. The others are multiplied as floats.
    pub(in crate::gpu) fn quantizes(self, dot: Dot) -> bool {
        self as u32 <= geometry::PACKING_SCALED && dot == Dot::Packed
    }

    /// Name and value of the overrides that say what lies where.
    fn constants(self) -> [(&'static str, f64); 3] {
        let (vectors, words) = self.parts();
        [("PACKING", f64::from(self as u32)), ("VECTORS", vectors.into()), ("WORDS", words.into())]
    }
}

const _: () = {
    // Bits a weight, times the columns of a block.
    const fn bits(packing: Packing) -> u32 {
        let (vectors, words) = packing.parts();
        vectors * 128 + words * 32
    }
    assert!(bits(Packing::Q2) == 4 * geometry::BLOCK && bits(Packing::Q3) == 4 * geometry::BLOCK);
    assert!(bits(Packing::Q4) == 5 * geometry::BLOCK && bits(Packing::Iq4) == 5 * geometry::BLOCK);
    assert!(bits(Packing::Q5) == 6 * geometry::BLOCK && bits(Packing::Q6) == 7 * geometry::BLOCK);
    assert!(bits(Packing::Q8) == 9 * geometry::BLOCK && bits(Packing::Bf16) == 16 * geometry::BLOCK);
};

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

/// What becomes of the product of a [`Part`](crate::gpu::state::weights::Part).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::gpu) enum Finish {
    /// It is the output.
    Store,
    /// It is added to the output.
    Add,
    /// Groups of gate rows alternate with groups of up rows; the output is activation(gate) · up.
    Gate(Activation),
    /// The output is the gate's product, and becomes activation(gate) · product.
    Times(Activation),
}

impl From<Epilogue> for Finish {
    fn from(epilogue: Epilogue) -> Self {
        match epilogue {
            Epilogue::Store => Self::Store,
            Epilogue::AddResidual => Self::Add,
            Epilogue::Gate(activation) => Self::Gate(activation),
        }
    }
}

impl Finish {
    /// The number that the shaders know it by.
    fn code(self) -> u32 {
        match self {
            Self::Store => geometry::STORE,
            Self::Add => geometry::ADD,
            Self::Gate(Activation::Silu) => geometry::GATE_SILU,
            Self::Gate(Activation::GeluTanh) => geometry::GATE_GELU,
            Self::Times(Activation::Silu) => geometry::TIMES_SILU,
            Self::Times(Activation::GeluTanh) => geometry::TIMES_GELU,
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
    Matvec(Packing, Prologue, Finish, Variant),
    /// `true` quantises.
    Prepare(Prologue, bool),
    Matmul(Packing, Finish, Dot),
    Embed(Packing),
    RopeAppend {
        biased: bool,
        normed: bool,
    },
    /// Positions of the window; 0 where there is none.
    Attend(u32),
    AddNormed,
    ArgmaxChunk,
    ArgmaxAll,
    BestOfChunk,
    Draw,
}

impl Kernel {
    /// The kernel of a step that has no matrices.
    pub(in crate::gpu) fn without_matrices(op: &Op) -> Option<Self> {
        match op {
            Op::RopeAppend(step) => {
                Some(Self::RopeAppend { biased: step.biases.is_some(), normed: step.head_norms.is_some() })
            }
            Op::Attend { window, .. } => {
                let most = u32::MAX as usize;
                Some(Self::Attend(window.map_or(0, |window| window.clamp(1, most) as u32)))
            }
            Op::AddNormed(_) => Some(Self::AddNormed),
            Op::Embed(_) | Op::Project(_) => None,
        }
    }

    /// Name without the specialisation, for people.
    pub(in crate::gpu) fn name(self) -> String {
        match self {
            Self::Matvec(packing, Prologue::Norm, Finish::Gate(_), _) => {
                format!("norm + gate·up {packing:?}")
            }
            Self::Matvec(packing, Prologue::Norm, _, _) => format!("norm + matvec {packing:?}"),
            Self::Matvec(packing, Prologue::MergeAttention, Finish::Add, _) => {
                format!("output + residual {packing:?}")
            }
            Self::Matvec(packing, Prologue::MergeAttention, ..) => format!("output {packing:?}"),
            Self::Matvec(packing, Prologue::Gated, Finish::Add, _) => format!("down + residual {packing:?}"),
            Self::Matvec(packing, ..) => format!("matvec {packing:?}"),
            Self::Prepare(..) => "prepare".to_owned(),
            Self::Matmul(packing, ..) => format!("matmul {packing:?}"),
            Self::Embed(_) => "embed".to_owned(),
            Self::RopeAppend { .. } => "rope + KV append".to_owned(),
            Self::Attend(_) => "attention".to_owned(),
            Self::AddNormed => "add normed".to_owned(),
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
                kernels.push(Self::Matvec(Packing::Q4, Prologue::Gated, Finish::Store, variant));
            }
        }
        kernels.extend([
            Self::Prepare(Prologue::Gated, false),
            Self::Matmul(Packing::Q4, Finish::Store, Dot::Float),
            Self::Matmul(Packing::Q4, Finish::Store, Dot::Packed),
            Self::Embed(Packing::Q4),
            Self::RopeAppend { biased: false, normed: false },
            Self::Attend(0),
            Self::AddNormed,
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
            Self::RopeAppend { .. } => (Module::RopeAppend, "rope_append"),
            Self::Attend(_) => (Module::Attend, "attend"),
            Self::AddNormed => (Module::AddNormed, "add_normed"),
            Self::ArgmaxChunk => (Module::Argmax, "argmax_chunk"),
            Self::ArgmaxAll => (Module::Argmax, "argmax_all"),
            Self::BestOfChunk => (Module::Sample, "best_of_chunk"),
            Self::Draw => (Module::Sample, "draw"),
        }
    }

    /// Name and value of every override. `span`: lanes of the smallest subgroup; `halves`: whether the cache holds
    /// halves.
    pub(in crate::gpu) fn constants(self, span: u32, halves: bool) -> Vec<(&'static str, f64)> {
        let flag = |on: bool| f64::from(u8::from(on));
        match self {
            Self::Matvec(packing, prologue, finish, variant) => {
                let mut constants = packing.constants().to_vec();
                constants.extend([
                    ("PROLOGUE", prologue.code().into()),
                    ("EPILOGUE", finish.code().into()),
                    ("ROW_LANES", variant.lanes.into()),
                    ("SLICES", variant.slices.into()),
                    ("INVOCATIONS", variant.invocations().into()),
                    ("PER", finish.groups(variant.rows).into()),
                ]);
                if variant.reduction == Reduction::Subgroup {
                    constants.push(("SPAN", span.into()));
                }
                constants
            }
            Self::Prepare(prologue, quantized) => {
                vec![("PROLOGUE", prologue.code().into()), ("QUANTIZED", flag(quantized))]
            }
            Self::Matmul(packing, finish, _) => {
                let mut constants = packing.constants().to_vec();
                constants.push(("EPILOGUE", finish.code().into()));
                constants
            }
            Self::Embed(packing) => packing.constants().to_vec(),
            Self::RopeAppend { biased, normed } => {
                vec![("HALVES", flag(halves)), ("BIASED", flag(biased)), ("NORMED", flag(normed))]
            }
            Self::Attend(window) => vec![("HALVES", flag(halves)), ("WINDOW", window.into())],
            Self::AddNormed | Self::ArgmaxChunk | Self::ArgmaxAll | Self::BestOfChunk | Self::Draw => {
                Vec::new()
            }
        }
    }
}

/// Every kernel that such a multiplication needs, for one token and for many.
pub(in crate::gpu) fn kernels_of(
    packing: Packing,
    prologue: Prologue,
    finish: Finish,
    variant: Variant,
) -> [Kernel; 3] {
    [
        Kernel::Matvec(packing, prologue, finish, variant),
        Kernel::Matmul(packing, finish, variant.dot),
        Kernel::Prepare(prologue, packing.quantizes(variant.dot)),
    ]
}
