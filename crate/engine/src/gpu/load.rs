//! From an open device and a model file to a backend.

use std::io::{Read, Seek};
use std::sync::Arc;

use super::device::Device;
use super::geometry::{Batch, HEAD_STEP, MAX_HEAD_DIM};
use super::memory::Memory;
use super::pipeline::kernel::{Kernel, Packing, Variants, kernels_of};
use super::pipeline::variant::Variant;
use super::record::Recorder;
use super::state::buffers::Buffers;
use super::state::gpu::{Counters, Gpu};
use super::state::queue::DecodeQueue;
use super::state::weights::Weights;
use super::upload::Uploader;
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::model::weights::load_ropes;
use crate::model::{Op, Plan, Projection};

/// Kernels that choose a token.
const CHOOSING: [Kernel; 4] = [Kernel::ArgmaxChunk, Kernel::ArgmaxAll, Kernel::BestOfChunk, Kernel::Draw];

impl Device {
    /// Makes the kernels of the usual files while the model itself is still on its way, telling how many are
    /// done; others are made when the model calls for them.
    ///
    /// # Errors
    /// The device refuses one.
    pub async fn compile(&mut self, progress: &mut dyn FnMut(usize, usize)) -> Result<()> {
        let variant = self.variant().unwrap_or(Variant::PLAIN);
        // The usual file: layers in four bits, embedding and head in eight.
        let usual = |projection: Projection| {
            let packing = if projection == Projection::Head { Packing::Q8 } else { Packing::Q4 };
            let (prologue, epilogue) = projection.ends();
            kernels_of(packing, prologue, epilogue.into(), variant)
        };
        let mut kernels: Vec<Kernel> = Projection::ALL.into_iter().flat_map(usual).collect();
        kernels.push(Kernel::Embed(Packing::Q8));
        kernels.extend([Kernel::RopeAppend { biased: false, normed: false }, Kernel::Attend(0)]);
        kernels.extend(CHOOSING);
        let mut unique = Vec::with_capacity(kernels.len());
        kernels.into_iter().for_each(|kernel| {
            if !unique.contains(&kernel) {
                unique.push(kernel);
            }
        });
        for (done, kernel) in unique.iter().enumerate() {
            progress(done, unique.len());
            self.make(*kernel).await?;
        }
        progress(unique.len(), unique.len());
        Ok(())
    }
}

impl Gpu {
    /// Streams the weights to the device and makes everything a token needs.
    ///
    /// # Errors
    /// A tensor is missing, of the wrong shape or type, or cannot be read; the device has not the room, or
    /// refuses a kernel.
    pub async fn load<R: Read + Seek>(
        mut device: Device,
        gguf: &mut Gguf<R>,
        plan: &Arc<Plan>,
        context: usize,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        check(gguf.file(), plan)?;
        let mut memory = Memory::default();
        let (weights, buffers) = allocate(&device, gguf, plan, context, &mut memory, read_bytes).await?;
        device.first_error.check()?;
        let variant = device.variant().unwrap_or(Variant::PLAIN);
        let variants = [variant; Projection::ALL.len()];
        for kernel in kernels(plan, &weights, &variants) {
            device.make(kernel).await?;
        }
        let recorder = Recorder::new(&device, &mut memory, plan, context);
        let queue = DecodeQueue::new(&device, &mut memory);
        Ok(Self {
            device,
            plan: Arc::clone(plan),
            context,
            variants,
            weights,
            buffers,
            recorder,
            queue,
            counters: Counters::default(),
            logits_out: None,
            memory,
            batch: Batch::default(),
        })
    }

    /// Goes over to other variants.
    ///
    /// # Errors
    /// The device refuses one of their kernels.
    pub(super) async fn switch(&mut self, variants: Variants) -> Result<()> {
        for kernel in kernels(&self.plan, &self.weights, &variants) {
            self.device.make(kernel).await?;
        }
        self.variants = variants;
        Ok(())
    }
}

/// Weights and buffers; an allocation that fails is an error, not a lost device.
async fn allocate<R: Read + Seek>(
    device: &Device,
    gguf: &mut Gguf<R>,
    plan: &Arc<Plan>,
    context: usize,
    memory: &mut Memory,
    read_bytes: &mut dyn FnMut(u64),
) -> Result<(Weights, Buffers)> {
    let scope = device.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let loaded = upload(device, gguf, plan, memory, read_bytes).and_then(|weights| {
        let rotations = load_ropes(gguf, plan, read_bytes)?;
        let buffers = Buffers::new(device, memory, plan, context, &weights, &rotations)?;
        Ok((weights, buffers))
    });
    match scope.pop().await {
        Some(error) => {
            let cause = format!("it has not enough memory for this model: {error}");
            Err(Error::Backend { op: "making room on the GPU", cause })
        }
        None => loaded,
    }
}

/// The kernels take some things for granted about a model.
fn check(file: &str, plan: &Plan) -> Result<()> {
    let unsupported = |cause| Err(Error::Unsupported { file: file.to_owned(), cause });
    let dim = plan.spec.head_dim;
    if !dim.is_multiple_of(HEAD_STEP as usize) || dim > MAX_HEAD_DIM as usize {
        return unsupported(format!(
            "heads of {dim}; the GPU's kernels want a multiple of {HEAD_STEP} up to {MAX_HEAD_DIM}"
        ));
    }
    let eps = |op: &Op| match op {
        Op::RopeAppend(step) => step.head_norms.as_ref().map(|norms| norms.eps),
        other => other.norm().map(|norm| norm.eps),
    };
    if plan.ops().iter().filter_map(eps).any(|eps| eps != plan.spec.norm.eps) {
        return unsupported("norms of different epsilon; the GPU's kernels want one".to_owned());
    }
    Ok(())
}

/// Every kernel that these weights need with these variants.
fn kernels(plan: &Plan, weights: &Weights, variants: &Variants) -> Vec<Kernel> {
    let of_op = |index| kernels_of_op(plan, weights, variants, index);
    let mut kernels: Vec<Kernel> = (0..plan.ops().len()).flat_map(of_op).collect();
    kernels.extend(CHOOSING);
    kernels
}

/// Every kernel of step `index`, for one token and for many.
pub(super) fn kernels_of_op(
    plan: &Plan,
    weights: &Weights,
    variants: &Variants,
    index: usize,
) -> Vec<Kernel> {
    let parts = weights.matrix(index).into_iter().flat_map(|matrix| &matrix.parts);
    match &plan.ops()[index] {
        Op::Embed(_) => parts.map(|part| Kernel::Embed(part.packing)).collect(),
        Op::Project(project) => {
            let variant = variants[project.projection as usize];
            parts.flat_map(|part| kernels_of(part.packing, project.prologue, part.finish, variant)).collect()
        }
        other => Kernel::without_matrices(other).into_iter().collect(),
    }
}

/// Sends the weights of every step.
fn upload<R: Read + Seek>(
    device: &Device,
    gguf: &mut Gguf<R>,
    plan: &Plan,
    memory: &mut Memory,
    read_bytes: &mut dyn FnMut(u64),
) -> Result<Weights> {
    let mut uploader = Uploader::new(device, memory);
    let send = |index| uploader.send_op(gguf, plan, index, read_bytes);
    (0..plan.ops().len()).map(send).collect::<Result<_>>().map(Weights)
}
