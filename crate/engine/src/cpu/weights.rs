//! The weights of one step, packed for the processor's kernels as they stream in.

use std::io::{Read, Seek};

use super::matrix::Matrix;
use crate::error::Result;
use crate::gguf::Gguf;
use crate::model::Op;
use crate::model::weights::{self, Reader, Sink, Source};

/// The weights of a step; empty for steps without any.
#[derive(Default)]
pub(super) struct OpWeights {
    /// In the order of [`Op::vectors`].
    pub(super) vectors: Vec<Vec<f32>>,
    /// In the order of [`Op::weights`].
    pub(super) matrices: Vec<Matrix>,
}

impl OpWeights {
    /// Reads the weights of `op`.
    ///
    /// # Errors
    /// As [`weights::load`].
    pub(super) fn read<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        op: &Op,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        let mut read = Self::default();
        weights::load(gguf, op, read_bytes, &mut read)?;
        Ok(read)
    }

    /// Bytes of the matrices in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.matrices.iter().map(Matrix::bytes).sum()
    }
}

impl Sink for OpWeights {
    fn vectors(&mut self, vectors: Vec<Vec<f32>>) -> Result<()> {
        self.vectors = vectors;
        Ok(())
    }

    fn matrices<R: Read + Seek>(&mut self, matrices: &[Source], reader: &mut Reader<R>) -> Result<()> {
        self.matrices = matrices.iter().map(|source| Matrix::read(source, reader)).collect::<Result<_>>()?;
        Ok(())
    }
}
