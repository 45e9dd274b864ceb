//! The kernels that compute projections.

use super::kernel::{Bits, Kernel};
use super::variant::Variant;
use crate::model::Projection;

/// The variant that runs at each [`Projection`].
pub(in crate::gpu) type Variants = [Variant; Projection::ALL.len()];

/// Every kernel that a projection needs, for one token and for many.
pub(in crate::gpu) fn kernels_of(projection: Projection, bits: Bits, variant: Variant) -> [Kernel; 3] {
    let (prologue, epilogue) = projection.ends();
    [
        Kernel::Matvec(bits, prologue.into(), epilogue.into(), variant),
        Kernel::Matmul(bits, epilogue.into(), variant.dot),
        Kernel::Prepare(prologue.into(), bits.quantizes(variant.dot)),
    ]
}
