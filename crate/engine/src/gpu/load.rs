//! From an open device and a model file to a backend.

use std::io::{Read, Seek};

use wgpu::{Buffer, BufferUsages};

use super::adapter::Device;
use super::backend::{Gpu, Site, Variants};
use super::buffers::Buffers;
use super::chain::Chain;
use super::costs::Costs;
use super::kernels::{Bits, Kernel};
use super::memory::Memory;
use super::record::{Batch, Recorder};
use super::variant::Variant;
use super::weights::{Matrix, Uploader, words};
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::model::{Config, LayerNames, rope_angles, rope_factors, rope_frequencies};
use crate::quant::read_vector;

/// One layer's matrices.
pub(super) struct Layer {
    pub(super) qkv: Matrix,
    pub(super) output: Matrix,
    pub(super) gate_up: Matrix,
    pub(super) down: Matrix,
}

/// All matrices.
pub(super) struct Weights {
    pub(super) embedding: Matrix,
    pub(super) layers: Vec<Layer>,
    head: Option<Matrix>,
}

impl Weights {
    /// The matrix that turns the last state into logits.
    pub(super) fn head(&self) -> &Matrix {
        self.head.as_ref().unwrap_or(&self.embedding)
    }

    /// Bytes of weights that one token reads.
    pub(super) fn bytes_per_token(&self) -> u64 {
        self.bytes_of(self.layers.len())
    }

    /// Bytes of the first `count` layers and the head.
    pub(super) fn bytes_of(&self, count: usize) -> u64 {
        let of_layer = |layer: &Layer| {
            [&layer.qkv, &layer.output, &layer.gate_up, &layer.down]
                .map(|matrix| matrix.bytes)
                .iter()
                .sum::<u64>()
        };
        self.layers[..count].iter().map(of_layer).sum::<u64>() + self.head().bytes
    }
}

/// The norms' weights.
pub(super) struct Gains {
    /// (before attention, before the feed-forward network) of each layer.
    pub(super) layers: Vec<(Buffer, Buffer)>,
    /// Before the head.
    pub(super) last: Buffer,
}

impl Device {
    /// Makes the kernels of the usual files while the model itself is still on its way, telling how many are
    /// done; others are made when the model calls for them.
    ///
    /// # Errors
    /// The device refuses one.
    pub async fn compile(&mut self, progress: &mut dyn FnMut(usize, usize)) -> Result<()> {
        let variant = self.variant().unwrap_or(Variant::PLAIN);
        // The usual file: layers in four bits, embedding and head in eight.
        let usual = |site| if site == Site::Head { Bits::Q8 } else { Bits::Q4 };
        let of_site = |site: Site| {
            let (bits, (prologue, epilogue)) = (usual(site), site.ends());
            [
                Kernel::Matvec(bits, prologue, epilogue, variant),
                Kernel::Matmul(bits, epilogue, variant.dot),
                Kernel::Prepare(prologue, bits.quantizes(variant.dot)),
            ]
        };
        let mut kernels: Vec<Kernel> = Site::ALL.into_iter().flat_map(of_site).collect();
        kernels.extend([Kernel::Embed(Bits::Q8), Kernel::RopeAppend, Kernel::Attend]);
        kernels.extend([Kernel::ArgmaxChunk, Kernel::ArgmaxAll, Kernel::BestOfChunk, Kernel::Draw]);
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
        let variants = [variant; 5];
        for kernel in kernels(&weights, &variants) {
            device.make(kernel).await?;
        }
        let recorder = Recorder::new(&device, &mut memory, config, context);
        let chain = Chain::new(&device, &mut memory);
        let (config, costs, batch) = (config.clone(), Costs::default(), Batch::default());
        let logits_out = None;
        Ok(Self {
            device,
            config,
            context,
            variants,
            weights,
            buffers,
            recorder,
            chain,
            costs,
            logits_out,
            memory,
            batch,
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
    let loaded = upload(device, gguf, config, memory, read_bytes).and_then(|(weights, gains)| {
        let factors = rope_factors(gguf, config, &mut |_| {})?;
        let angles =
            rope_angles(&rope_frequencies(config, factors.as_deref()), 0..context).collect::<Vec<_>>();
        Ok((weights, Buffers::new(device, memory, config, context, &gains, &angles)?))
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
    if !config.head_dim.is_multiple_of(8) || config.head_dim > 256 {
        let dim = config.head_dim;
        return unsupported(format!("heads of {dim}; the GPU's kernels want a multiple of 8 up to 256"));
    }
    Ok(())
}

/// Every kernel that these weights need with these variants.
fn kernels(weights: &Weights, variants: &Variants) -> Vec<Kernel> {
    let mut kernels = Vec::new();
    let mut multiply = |site: Site, matrix: &Matrix| {
        let (variant, (prologue, epilogue)) = (variants[site as usize], site.ends());
        for part in &matrix.parts {
            kernels.push(Kernel::Matvec(part.bits, prologue, epilogue, variant));
            kernels.push(Kernel::Matmul(part.bits, epilogue, variant.dot));
            kernels.push(Kernel::Prepare(prologue, part.bits.quantizes(variant.dot)));
        }
    };
    for layer in &weights.layers {
        multiply(Site::Qkv, &layer.qkv);
        multiply(Site::Output, &layer.output);
        multiply(Site::GateUp, &layer.gate_up);
        multiply(Site::Down, &layer.down);
    }
    multiply(Site::Head, weights.head());
    kernels.extend(weights.embedding.parts.iter().map(|part| Kernel::Embed(part.bits)));
    kernels.extend([Kernel::RopeAppend, Kernel::Attend]);
    kernels.extend([Kernel::ArgmaxChunk, Kernel::ArgmaxAll, Kernel::BestOfChunk, Kernel::Draw]);
    kernels
}

fn upload<R: Read + Seek>(
    device: &Device,
    gguf: &mut Gguf<R>,
    config: &Config,
    memory: &mut Memory,
    read_bytes: &mut dyn FnMut(u64),
) -> Result<(Weights, Gains)> {
    let (width, vocabulary) = (config.width, config.vocabulary);
    let (layers, last) = vectors(device, gguf, config, memory, read_bytes)?;
    let own_head = gguf.tensor("output.weight").is_some();
    let mut uploader = Uploader::new(device, gguf, memory, read_bytes);
    let embedding = uploader.rows(&[("token_embd.weight", vocabulary)], width)?;
    let matrices =
        (0..config.layers).map(|index| layer(&mut uploader, config, index)).collect::<Result<_>>()?;
    let head = match own_head {
        true => Some(uploader.rows(&[("output.weight", vocabulary)], width)?),
        false => None,
    };
    Ok((Weights { embedding, layers: matrices, head }, Gains { layers, last }))
}

fn layer<R: Read + Seek>(uploader: &mut Uploader<R>, config: &Config, index: usize) -> Result<Layer> {
    let names = LayerNames::new(index);
    let name = |part: &str| names.weight(part);
    let (width, queries, kv) = (config.width, config.query_width(), config.kv_width());
    let (query, key, value) = (name("attn_q"), name("attn_k"), name("attn_v"));
    Ok(Layer {
        qkv: uploader.rows(&[(&query, queries), (&key, kv), (&value, kv)], width)?,
        output: uploader.rows(&[(&name("attn_output"), width)], queries)?,
        gate_up: uploader.pairs(&name("ffn_gate"), &name("ffn_up"), config.ffn, width)?,
        down: uploader.rows(&[(&name("ffn_down"), width)], config.ffn)?,
    })
}

/// The norms' weights: of every layer, and the last.
type Vectors = (Vec<(Buffer, Buffer)>, Buffer);

fn vectors<R: Read + Seek>(
    device: &Device,
    gguf: &mut Gguf<R>,
    config: &Config,
    memory: &mut Memory,
    read_bytes: &mut dyn FnMut(u64),
) -> Result<Vectors> {
    let mut vector = |name: &str| {
        let values = read_vector(gguf, name, config.width, read_bytes)?;
        let bytes = words(&values.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let buffer = memory.buffer(device, "gain", bytes.len() as u64, usage);
        device.queue.write_buffer(&buffer, 0, &bytes);
        Ok::<_, Error>(buffer)
    };
    let mut layers = Vec::with_capacity(config.layers);
    for index in 0..config.layers {
        let names = LayerNames::new(index);
        layers.push((vector(&names.weight("attn_norm"))?, vector(&names.weight("ffn_norm"))?));
    }
    Ok((layers, vector("output_norm.weight")?))
}
