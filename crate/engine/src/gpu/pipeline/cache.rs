//! Pipelines, each made once.

use std::collections::HashMap;

use wgpu::{BindGroupLayout, ComputePipeline, ShaderModule};

use super::kernel::Kernel;
use super::layouts::Layouts;
use super::modules::Module;
use crate::error::{Error, Result};

/// Pipelines made so far.
#[derive(Default)]
pub(in crate::gpu) struct Pipelines {
    modules: HashMap<Module, ShaderModule>,
    pipelines: HashMap<Kernel, ComputePipeline>,
}

impl Pipelines {
    /// The pipeline of a kernel that was made before.
    pub(in crate::gpu) fn get(&self, kernel: Kernel) -> &ComputePipeline {
        &self.pipelines[&kernel]
    }

    /// Makes a pipeline unless it is there; `constants` are the values of its overrides.
    ///
    /// # Errors
    /// The device refuses it.
    pub(in crate::gpu) async fn make(
        &mut self,
        device: &wgpu::Device,
        layouts: &Layouts,
        kernel: Kernel,
        constants: &[(&str, f64)],
    ) -> Result<()> {
        if self.pipelines.contains_key(&kernel) {
            return Ok(());
        }
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.pipeline(device, layouts, kernel, constants);
        if let Some(error) = scope.pop().await {
            let cause = format!("kernel {kernel:?} was refused: {error}");
            return Err(Error::Backend { op: "compiling for the GPU", cause });
        }
        self.pipelines.insert(kernel, pipeline);
        Ok(())
    }

    fn pipeline(
        &mut self,
        device: &wgpu::Device,
        layouts: &Layouts,
        kernel: Kernel,
        constants: &[(&str, f64)],
    ) -> ComputePipeline {
        let (module, entry_point) = kernel.module();
        let shader = self.modules.entry(module).or_insert_with(|| {
            let source = wgpu::ShaderSource::Wgsl(module.source().into());
            let descriptor = wgpu::ShaderModuleDescriptor { label: Some(entry_point), source };
            // SAFETY: the text is ours, and every index in it follows from sizes that `Buffers` and `Uploader`
            // allocated by, or from ids checked against the vocabulary. A browser checks bounds regardless; Mesa's
            // software driver loses a third of its speed by the checks.
            unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
        });
        let groups: Vec<Option<&BindGroupLayout>> =
            std::iter::once(&layouts.batch).chain(groups(kernel, layouts)).map(Some).collect();
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(entry_point),
            bind_group_layouts: &groups,
            immediate_size: 0,
        });
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry_point),
            layout: Some(&layout),
            module: shader,
            entry_point: Some(entry_point),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
    }
}

/// Bind groups after group 0.
fn groups(kernel: Kernel, layouts: &Layouts) -> Vec<&BindGroupLayout> {
    match kernel {
        Kernel::Matvec(..) | Kernel::Matmul(..) => vec![&layouts.weights, &layouts.read_read_write],
        Kernel::Prepare(..) => vec![&layouts.weights, &layouts.prepare],
        Kernel::Embed(_) => vec![&layouts.weights, &layouts.read_write],
        Kernel::RopeAppend { .. } => vec![&layouts.rope],
        Kernel::Attend(_) | Kernel::AddNormed => vec![&layouts.read_read_write],
        Kernel::ArgmaxChunk | Kernel::ArgmaxAll | Kernel::BestOfChunk | Kernel::Draw => {
            vec![&layouts.choice]
        }
    }
}
