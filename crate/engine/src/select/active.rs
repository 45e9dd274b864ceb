//! The backend that was chosen.

use crate::cpu::Cpu;
use crate::error::Result;
use crate::gpu::Gpu;
use crate::model::{Backend, Token, forward};

/// The backend that runs.
pub(crate) enum Active {
    Cpu(Box<Cpu>),
    Gpu(Box<Gpu>),
}

impl Active {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Cpu(cpu) => cpu.name(),
            Self::Gpu(gpu) => gpu.name(),
        }
    }

    /// Most tokens in one batch.
    pub(crate) fn max_batch(&self) -> usize {
        match self {
            Self::Cpu(cpu) => cpu.max_batch(),
            Self::Gpu(gpu) => gpu.max_batch(),
        }
    }

    /// See [`forward`].
    ///
    /// # Errors
    /// The backend's.
    pub(crate) async fn forward(
        &mut self,
        tokens: &[Token],
        position: usize,
        want: usize,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        match self {
            Self::Cpu(cpu) => forward(cpu.as_mut(), tokens, position, want, out).await,
            Self::Gpu(gpu) => forward(gpu.as_mut(), tokens, position, want, out).await,
        }
    }
}
