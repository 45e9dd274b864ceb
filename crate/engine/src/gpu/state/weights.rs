//! A model's weights on the device.

use std::ops::Range;

use wgpu::{BindGroup, Buffer};

use crate::gpu::pipeline::kernel::{Finish, Packing};

/// Rows of a matrix that fit one binding.
pub(in crate::gpu) struct Part {
    pub(in crate::gpu) packing: Packing,
    pub(in crate::gpu) finish: Finish,
    /// Rows of the output.
    pub(in crate::gpu) rows: u32,
    /// (quants, scales, shape); stays bound for good.
    pub(in crate::gpu) group: BindGroup,
}

/// A matrix, or several that read the same input, row after row.
pub(in crate::gpu) struct Matrix {
    pub(in crate::gpu) parts: Vec<Part>,
    /// Bytes that a multiplication reads.
    pub(in crate::gpu) bytes: u64,
}

/// The weights of one step of the plan; empty for steps without any.
#[derive(Default)]
pub(in crate::gpu) struct OpWeights {
    /// Its vectors, one after the other.
    pub(in crate::gpu) vectors: Option<Buffer>,
    /// `None` for a head that is tied to the embedding as well.
    pub(in crate::gpu) matrix: Option<Matrix>,
}

/// The weights of every step of the plan.
pub(in crate::gpu) struct Weights(pub(in crate::gpu) Vec<OpWeights>);

impl Weights {
    /// The matrix of a step with weights; a tied head has the embedding's.
    pub(in crate::gpu) fn matrix(&self, op: usize) -> Option<&Matrix> {
        self.0[op].matrix.as_ref().or(self.0[0].matrix.as_ref())
    }

    /// Bytes of weights that one token reads in these steps and in the head.
    pub(in crate::gpu) fn bytes_of(&self, ops: Range<usize>) -> u64 {
        let of = |op: &OpWeights| op.matrix.as_ref().map_or(0, |matrix| matrix.bytes);
        let head = self.matrix(self.0.len() - 1).map_or(0, |matrix| matrix.bytes);
        // Of the embedding, a token reads one row.
        self.0[ops].iter().skip(1).map(of).sum::<u64>() + head
    }
}
