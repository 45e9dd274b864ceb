//! Compute pipelines: which there are, how they are specialised, and making them.

use std::collections::HashMap;

use wgpu::{BindGroupLayout, BufferBindingType, ComputePipeline, ShaderModule, ShaderStages};

use super::adapter::Device;
use super::shaders::Module;
use super::variant::{Dot, Reduction, Variant};
use crate::error::{Error, Result};

/// How the weights of a matrix are stored: bits a weight takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bits {
    /// Nibbles with scale and minimum.
    Q4 = 4,
    /// Signed bytes with a scale.
    Q8 = 8,
    F16 = 16,
    F32 = 32,
}

impl Bits {
    /// Whether weights have scales, and activations may be quantised to meet them.
    pub(super) fn is_quantized(self) -> bool {
        matches!(self, Self::Q4 | Self::Q8)
    }

    /// Whether activations are quantised to meet them by this dot product.
    pub(super) fn quantizes(self, dot: Dot) -> bool {
        self.is_quantized() && dot == Dot::Packed
    }
}

/// What happens to a multiplication's input on the way in; values as in `shared/source.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Prologue {
    Plain = 0,
    Norm = 1,
    Merge = 2,
}

/// What happens to its output; values as in `matvec.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Epilogue {
    Store = 0,
    Add = 1,
    Swiglu = 2,
}

impl Epilogue {
    /// Groups of weights that an invocation with `rows` rows computes: a gate row comes with its up row.
    pub(super) fn groups(self, rows: u32) -> u32 {
        if self == Self::Swiglu { rows.max(2) } else { rows }
    }

    /// Groups of eight rows of weights behind so many rows of output.
    pub(super) fn weight_groups(self, rows: u32) -> u32 {
        rows.div_ceil(8) * if self == Self::Swiglu { 2 } else { 1 }
    }
}

/// One compute pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    Matvec(Bits, Prologue, Epilogue, Variant),
    /// `true` quantises.
    Prepare(Prologue, bool),
    Matmul(Bits, Epilogue, Dot),
    Embed(Bits),
    RopeAppend,
    Attend,
    ArgmaxChunk,
    ArgmaxAll,
    BestOfChunk,
    Draw,
}

impl Kernel {
    /// Name without the specialisation, for people.
    pub(super) fn name(self) -> String {
        match self {
            Self::Matvec(bits, Prologue::Norm, Epilogue::Swiglu, _) => format!("norm + gate·up {bits:?}"),
            Self::Matvec(bits, Prologue::Norm, _, _) => format!("norm + matvec {bits:?}"),
            Self::Matvec(bits, Prologue::Merge, _, _) => format!("output + residual {bits:?}"),
            Self::Matvec(bits, Prologue::Plain, Epilogue::Add, _) => format!("down + residual {bits:?}"),
            Self::Matvec(bits, ..) => format!("matvec {bits:?}"),
            Self::Prepare(..) => "prepare".to_owned(),
            Self::Matmul(bits, ..) => format!("matmul {bits:?}"),
            Self::Embed(_) => "embed".to_owned(),
            Self::RopeAppend => "rope + KV append".to_owned(),
            Self::Attend => "attention".to_owned(),
            Self::ArgmaxChunk | Self::ArgmaxAll => "argmax".to_owned(),
            Self::BestOfChunk | Self::Draw => "top-k and draw".to_owned(),
        }
    }

    fn module(self) -> (Module, &'static str) {
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
            Self::RopeAppend => (Module::RopeAppend, "rope_append"),
            Self::Attend => (Module::Attend, "attend"),
            Self::ArgmaxChunk => (Module::Argmax, "argmax_chunk"),
            Self::ArgmaxAll => (Module::Argmax, "argmax_all"),
            Self::BestOfChunk => (Module::Sample, "best_of_chunk"),
            Self::Draw => (Module::Sample, "draw"),
        }
    }

    fn constants(self, device: &Device) -> Vec<(&'static str, f64)> {
        match self {
            Self::Matvec(bits, prologue, epilogue, variant) => {
                let mut constants = vec![
                    ("BITS", bits as u32 as f64),
                    ("PROLOGUE", prologue as u32 as f64),
                    ("EPILOGUE", epilogue as u32 as f64),
                    ("ROW_LANES", variant.lanes.into()),
                    ("SLICES", variant.slices.into()),
                    ("INVOCATIONS", (variant.lanes * variant.slices).into()),
                    ("PER", epilogue.groups(variant.rows).into()),
                ];
                if variant.reduction == Reduction::Subgroup {
                    constants.push(("SPAN", device.span.into()));
                }
                constants
            }
            Self::Prepare(prologue, quantized) => {
                vec![("PROLOGUE", prologue as u32 as f64), ("QUANTIZED", f64::from(u8::from(quantized)))]
            }
            Self::Matmul(bits, epilogue, _) => {
                vec![("BITS", bits as u32 as f64), ("EPILOGUE", epilogue as u32 as f64)]
            }
            Self::Embed(bits) => vec![("BITS", bits as u32 as f64)],
            Self::RopeAppend | Self::Attend => {
                vec![("HALVES", f64::from(u8::from(!device.settings.float_cache)))]
            }
            _ => Vec::new(),
        }
    }

    /// Bind groups after group 0.
    fn groups(self, layouts: &Layouts) -> Vec<&BindGroupLayout> {
        match self {
            Self::Matvec(..) | Self::Matmul(..) => vec![&layouts.weights, &layouts.read_read_write],
            Self::Prepare(..) => vec![&layouts.weights, &layouts.prepare],
            Self::Embed(_) => vec![&layouts.weights, &layouts.read_write],
            Self::RopeAppend => vec![&layouts.rope],
            Self::Attend => vec![&layouts.read_read_write],
            Self::ArgmaxChunk | Self::ArgmaxAll | Self::BestOfChunk | Self::Draw => vec![&layouts.choice],
        }
    }
}

/// The shapes of bind groups.
pub(super) struct Layouts {
    /// Group 0: the batch, by dynamic offset.
    pub(super) batch: BindGroupLayout,
    pub(super) weights: BindGroupLayout,
    pub(super) read_read_write: BindGroupLayout,
    pub(super) read_write: BindGroupLayout,
    pub(super) prepare: BindGroupLayout,
    pub(super) rope: BindGroupLayout,
    pub(super) choice: BindGroupLayout,
}

const READ: BufferBindingType = BufferBindingType::Storage { read_only: true };
const WRITE: BufferBindingType = BufferBindingType::Storage { read_only: false };

impl Layouts {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let layout = |types: &[BufferBindingType], dynamic: bool| {
            let entry = |(index, ty): (usize, &BufferBindingType)| wgpu::BindGroupLayoutEntry {
                binding: index as u32,
                visibility: ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: *ty,
                    has_dynamic_offset: dynamic && index == 0,
                    min_binding_size: None,
                },
                count: None,
            };
            let entries: Vec<_> = types.iter().enumerate().map(entry).collect();
            device
                .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
        };
        Self {
            batch: layout(&[READ], true),
            weights: layout(&[READ, READ, READ], false),
            read_read_write: layout(&[READ, READ, WRITE], false),
            read_write: layout(&[READ, WRITE], false),
            prepare: layout(&[READ, READ, WRITE, WRITE], false),
            rope: layout(&[WRITE, READ, WRITE], false),
            choice: layout(&[READ, WRITE, WRITE, WRITE], false),
        }
    }
}

/// Pipelines made so far.
#[derive(Default)]
pub(super) struct Kernels {
    modules: HashMap<Module, ShaderModule>,
    pipelines: HashMap<Kernel, ComputePipeline>,
}

impl Kernels {
    /// The pipeline of a kernel that was made before.
    pub(super) fn get(&self, kernel: Kernel) -> &ComputePipeline {
        &self.pipelines[&kernel]
    }

    pub(super) fn has(&self, kernel: Kernel) -> bool {
        self.pipelines.contains_key(&kernel)
    }
}

impl Device {
    /// Makes a pipeline unless it is there.
    pub(super) async fn make(&mut self, kernel: Kernel) -> Result<()> {
        if self.kernels.has(kernel) {
            return Ok(());
        }
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.pipeline(kernel);
        if let Some(error) = scope.pop().await {
            let cause = format!("kernel {kernel:?} was refused: {error}");
            return Err(Error::Backend { op: "compiling for the GPU", cause });
        }
        self.kernels.pipelines.insert(kernel, pipeline);
        Ok(())
    }

    fn pipeline(&mut self, kernel: Kernel) -> ComputePipeline {
        let (module, entry_point) = kernel.module();
        let device = &self.device;
        let shader = self.kernels.modules.entry(module).or_insert_with(|| {
            let source = wgpu::ShaderSource::Wgsl(module.source().into());
            let descriptor = wgpu::ShaderModuleDescriptor { label: Some(entry_point), source };
            // SAFETY: the text is ours, and every index in it follows from sizes that `Buffers` and `Uploader`
            // allocated by, or from ids checked against the vocabulary. A browser checks bounds regardless; Mesa's
            // software driver loses a third of its speed by the checks.
            unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
        });
        let shader = shader.clone();
        let mut groups = vec![Some(&self.layouts.batch)];
        groups.extend(kernel.groups(&self.layouts).into_iter().map(Some));
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(entry_point),
            bind_group_layouts: &groups,
            immediate_size: 0,
        });
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry_point),
            layout: Some(&layout),
            module: &shader,
            entry_point: Some(entry_point),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &kernel.constants(self),
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
    }
}
