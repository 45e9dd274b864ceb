//! From an open device and a model file to a backend.

use std::io::{Read, Seek};

use wgpu::BufferUsages;

use super::device::Device;
use super::geometry::{Batch, HEAD_STEP, MAX_HEAD_DIM};
use super::memory::{Memory, bytes_of};
use super::pipeline::kernel::{Bits, Kernel};
use super::pipeline::projection::{Projection, Variants};
use super::pipeline::variant::Variant;
use super::record::Recorder;
use super::state::buffers::Buffers;
use super::state::costs::Costs;
use super::state::gpu::Gpu;
use super::state::queue::DecodeQueue;
use super::state::weights::{LayerWeights, Matrix, NormWeights, Weights};
use super::upload::Uploader;
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::model::{Config, LayerNames, rope_angles, rope_factors, rope_frequencies};
use crate::quant::read_vector;

/// Kernels that are specialised by no weights.
const OF_EVERY_MODEL: [Kernel; 6] = [
    Kernel::RopeAppend,
    Kernel::Attend,
    Kernel::ArgmaxChunk,
    Kernel::ArgmaxAll,
    Kernel::BestOfChunk,
    Kernel::Draw,
];

impl Device {
    /// Makes the kernels of the usual files while the model itself is still on its way, telling how many are
    /// done; others are made when the model calls for them.
    ///
    /// # Errors
    /// The device refuses one.
    pub async fn compile(&mut self, progress: &mut dyn FnMut(usize, usize)) -> Result<()> {
        let variant = self.variant().unwrap_or(Variant::PLAIN);
        // The usual file: layers in four bits, embedding and head in eight.
        let usual = |projection| if projection == Projection::Head { Bits::Q8 } else { Bits::Q4 };
        let mut kernels: Vec<Kernel> =
            Projection::ALL.into_iter().flat_map(|p| p.kernels(usual(p), variant)).collect();
        kernels.push(Kernel::Embed(Bits::Q8));
        kernels.extend(OF_EVERY_MODEL);
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
        config: &Config,
        context: usize,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        check(gguf.file(), config)?;
        let mut memory = Memory::default();
        let (weights, buffers) = allocate(&device, gguf, config, context, &mut memory, read_bytes).await?;
        device.trouble.check()?;
        let variant = device.variant().unwrap_or(Variant::PLAIN);
        let variants = [variant; Projection::ALL.len()];
        for kernel in kernels(&weights, &variants) {
            device.make(kernel).await?;
        }
        let recorder = Recorder::new(&device, &mut memory, config, context);
        let queue = DecodeQueue::new(&device, &mut memory);
        Ok(Self {
            device,
            config: config.clone(),
            context,
            variants,
            weights,
            buffers,
            recorder,
            queue,
            costs: Costs::default(),
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
        for kernel in kernels(&self.weights, &variants) {
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
    config: &Config,
    context: usize,
    memory: &mut Memory,
    read_bytes: &mut dyn FnMut(u64),
) -> Result<(Weights, Buffers)> {
    let scope = device.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let loaded = upload(device, gguf, config, memory, read_bytes).and_then(|(weights, norms)| {
        let factors = rope_factors(gguf, config, &mut |_| {})?;
        let angles =
            rope_angles(&rope_frequencies(config, factors.as_deref()), 0..context).collect::<Vec<_>>();
        Ok((weights, Buffers::new(device, memory, config, context, &norms, &angles)?))
    });
    match scope.pop().await {
        Some(error) => {
            let cause = format!("it has not enough memory for this model: {error}");
            Err(Error::Backend { op: "making room on the GPU", cause })
        }
        None => loaded,
    }
}

/// What the kernels take for granted about a model.
fn check(file: &str, config: &Config) -> Result<()> {
    let unsupported = |cause| Err(Error::Unsupported { file: file.to_owned(), cause });
    let dim = config.head_dim;
    if !dim.is_multiple_of(HEAD_STEP as usize) || dim > MAX_HEAD_DIM as usize {
        return unsupported(format!(
            "heads of {dim}; the GPU's kernels want a multiple of {HEAD_STEP} up to {MAX_HEAD_DIM}"
        ));
    }
    Ok(())
}

/// Every kernel that these weights need with these variants.
fn kernels(weights: &Weights, variants: &Variants) -> Vec<Kernel> {
    let mut kernels = Vec::new();
    let mut multiply = |projection: Projection, matrix: &Matrix| {
        let variant = variants[projection as usize];
        kernels.extend(matrix.parts.iter().flat_map(|part| projection.kernels(part.bits, variant)));
    };
    for layer in &weights.layers {
        multiply(Projection::Qkv, &layer.qkv);
        multiply(Projection::Output, &layer.output);
        multiply(Projection::GateUp, &layer.gate_up);
        multiply(Projection::Down, &layer.down);
    }
    multiply(Projection::Head, weights.head());
    kernels.extend(weights.embedding.parts.iter().map(|part| Kernel::Embed(part.bits)));
    kernels.extend(OF_EVERY_MODEL);
    kernels
}

fn upload<R: Read + Seek>(
    device: &Device,
    gguf: &mut Gguf<R>,
    config: &Config,
    memory: &mut Memory,
    read_bytes: &mut dyn FnMut(u64),
) -> Result<(Weights, NormWeights)> {
    let width = config.width;
    let vocabulary = config.vocabulary;
    let norms = norms(device, gguf, config, memory, read_bytes)?;
    let own_head = gguf.tensor("output.weight").is_some();
    let mut uploader = Uploader::new(device, gguf, memory, read_bytes);
    let embedding = uploader.rows(&[("token_embd.weight", vocabulary)], width)?;
    let layers =
        (0..config.layers).map(|index| layer(&mut uploader, config, index)).collect::<Result<_>>()?;
    let output = match own_head {
        true => Some(uploader.rows(&[("output.weight", vocabulary)], width)?),
        false => None,
    };
    Ok((Weights { embedding, layers, output }, norms))
}

fn layer<R: Read + Seek>(uploader: &mut Uploader<R>, config: &Config, index: usize) -> Result<LayerWeights> {
    let names = LayerNames::new(index);
    let name = |part: &str| names.weight(part);
    let width = config.width;
    let queries = config.query_width();
    let kv = config.kv_width();
    Ok(LayerWeights {
        qkv: uploader
            .rows(&[(&name("attn_q"), queries), (&name("attn_k"), kv), (&name("attn_v"), kv)], width)?,
        output: uploader.rows(&[(&name("attn_output"), width)], queries)?,
        gate_up: uploader.pairs(&name("ffn_gate"), &name("ffn_up"), config.ffn, width)?,
        down: uploader.rows(&[(&name("ffn_down"), width)], config.ffn)?,
    })
}

fn norms<R: Read + Seek>(
    device: &Device,
    gguf: &mut Gguf<R>,
    config: &Config,
    memory: &mut Memory,
    read_bytes: &mut dyn FnMut(u64),
) -> Result<NormWeights> {
    let mut vector = |name: &str| {
        let values = read_vector(gguf, name, config.width, read_bytes)?;
        let bytes = bytes_of(&values.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let buffer = memory.buffer(device, "norm weights", bytes.len() as u64, usage);
        device.queue.write_buffer(&buffer, 0, &bytes);
        Ok::<_, Error>(buffer)
    };
    let mut layers = Vec::with_capacity(config.layers);
    for index in 0..config.layers {
        let names = LayerNames::new(index);
        layers.push((vector(&names.weight("attn_norm"))?, vector(&names.weight("ffn_norm"))?));
    }
    Ok(NormWeights { layers, last: vector("output_norm.weight")? })
}
