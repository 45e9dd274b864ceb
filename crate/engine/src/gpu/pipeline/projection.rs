//! Projections of a transformer, and the kernels that compute them.

use super::kernel::{Bits, Epilogue, Kernel, Prologue};
use super::variant::Variant;

/// A product of weights and activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpu) enum Projection {
    Qkv,
    Output,
    GateUp,
    Down,
    Head,
}

/// The variant that runs at each [`Projection`].
pub(in crate::gpu) type Variants = [Variant; Projection::ALL.len()];

impl Projection {
    pub(in crate::gpu) const ALL: [Self; 5] = [Self::Qkv, Self::Output, Self::GateUp, Self::Down, Self::Head];

    /// What happens before and after the multiplication.
    pub(in crate::gpu) fn ends(self) -> (Prologue, Epilogue) {
        match self {
            Self::Qkv | Self::Head => (Prologue::Norm, Epilogue::Store),
            Self::Output => (Prologue::Merge, Epilogue::Add),
            Self::GateUp => (Prologue::Norm, Epilogue::Swiglu),
            Self::Down => (Prologue::Plain, Epilogue::Add),
        }
    }

    /// Every kernel that it needs, for one token and for many.
    pub(in crate::gpu) fn kernels(self, bits: Bits, variant: Variant) -> [Kernel; 3] {
        let (prologue, epilogue) = self.ends();
        [
            Kernel::Matvec(bits, prologue, epilogue, variant),
            Kernel::Matmul(bits, epilogue, variant.dot),
            Kernel::Prepare(prologue, bits.quantizes(variant.dot)),
        ]
    }
}
