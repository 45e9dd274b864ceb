//! A model's weights on the device.

use wgpu::{BindGroup, Buffer};

use crate::gpu::pipeline::kernel::Bits;

/// Rows of a matrix that fit one binding.
pub(in crate::gpu) struct Part {
    pub(in crate::gpu) bits: Bits,
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

/// One layer's matrices.
pub(in crate::gpu) struct LayerWeights {
    pub(in crate::gpu) qkv: Matrix,
    pub(in crate::gpu) output: Matrix,
    pub(in crate::gpu) gate_up: Matrix,
    pub(in crate::gpu) down: Matrix,
}

/// All matrices.
pub(in crate::gpu) struct Weights {
    pub(in crate::gpu) embedding: Matrix,
    pub(in crate::gpu) layers: Vec<LayerWeights>,
    /// The head, where it is not the embedding.
    pub(in crate::gpu) output: Option<Matrix>,
}

impl Weights {
    /// The matrix that turns the last state into logits.
    pub(in crate::gpu) fn head(&self) -> &Matrix {
        self.output.as_ref().unwrap_or(&self.embedding)
    }

    /// Bytes of weights that one token reads.
    pub(in crate::gpu) fn bytes_per_token(&self) -> u64 {
        self.bytes_of(self.layers.len())
    }

    /// Bytes of the first `count` layers and the head.
    pub(in crate::gpu) fn bytes_of(&self, count: usize) -> u64 {
        let of_layer = |layer: &LayerWeights| {
            [&layer.qkv, &layer.output, &layer.gate_up, &layer.down]
                .map(|matrix| matrix.bytes)
                .iter()
                .sum::<u64>()
        };
        self.layers[..count].iter().map(of_layer).sum::<u64>() + self.head().bytes
    }
}

/// Weights of the norms.
pub(in crate::gpu) struct NormWeights {
    /// (before attention, before the feed-forward network) of each layer.
    pub(in crate::gpu) layers: Vec<(Buffer, Buffer)>,
    /// Before the head.
    pub(in crate::gpu) last: Buffer,
}
