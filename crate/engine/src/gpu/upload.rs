//! A model's weights on the GPU, streamed there tensor by tensor through one small buffer.
//!
//! Layout: `shaders/shared/weights.wgsl`. A matrix whose bytes exceed what one binding may hold is cut by rows
//! into parts, each with a dispatch of its own.

use std::io::{Read, Seek};

use wgpu::BufferUsages;

use super::device::Device;
use super::geometry::{BLOCK, GROUP_ROWS, Shape};
use super::memory::{Memory, bytes_of};
use super::pipeline::kernel::{Finish, Packing};
use super::state::weights::{Matrix, OpWeights, Part};
use crate::error::{Error, Result};
use crate::format::{GROUP, PLANE_COLUMNS};
use crate::gguf::Gguf;
use crate::model::weights::{self, Reader, Sink, Source};
use crate::model::{Op, Plan};

/// Rows interleaved.
const ROWS: usize = GROUP_ROWS as usize;

/// Columns of a block.
const COLUMNS: usize = BLOCK as usize;

// The formats write the planes that the shaders read.
const _: () = assert!(GROUP == ROWS && PLANE_COLUMNS == COLUMNS);

/// Bytes of weights gathered before they are sent.
const CHUNK_BYTES: usize = 1 << 19;

/// Sends the weights of one step after the other to the device.
pub(super) struct Uploader<'a> {
    device: &'a Device,
    memory: &'a mut Memory,
    /// What becomes of the step's product.
    finish: Finish,
    /// Factor of the product.
    scale: f32,
    uploaded: OpWeights,
    raw: Vec<u8>,
    quants: Vec<u8>,
    scales: Vec<u8>,
}

/// Up to eight rows that are interleaved: a tensor, its first row, how many.
type Group = (usize, usize, usize);

impl<'a> Uploader<'a> {
    pub(super) fn new(device: &'a Device, memory: &'a mut Memory) -> Self {
        Self {
            device,
            memory,
            finish: Finish::Store,
            scale: 1.0,
            uploaded: OpWeights::default(),
            raw: Vec::new(),
            quants: Vec::new(),
            scales: Vec::new(),
        }
    }

    /// Sends the weights of step `index` of the plan.
    ///
    /// # Errors
    /// As [`weights::load_resident`]; also where the columns are no whole blocks.
    pub(super) fn send_op<R: Read + Seek>(
        &mut self,
        gguf: &mut Gguf<R>,
        plan: &Plan,
        index: usize,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<OpWeights> {
        (self.finish, self.scale) = match &plan.ops()[index] {
            Op::Project(project) => (project.epilogue.into(), project.scale),
            // A tied head multiplies with the embedding's matrix.
            _ => (Finish::Store, plan.spec.logit_scale),
        };
        weights::load_resident(gguf, plan, index, read_bytes, self)?;
        Ok(std::mem::take(&mut self.uploaded))
    }

    /// Sends `groups`, whose products `finish` puts into one output.
    fn matrix<R: Read + Seek>(
        &mut self,
        sources: &[Source],
        groups: &[Group],
        finish: Finish,
        reader: &mut Reader<R>,
    ) -> Result<Matrix> {
        let cols = sources[0].cols;
        let per_output = if matches!(finish, Finish::Gate(_)) { 2 } else { 1 };
        let outputs = |groups: &[Group]| groups.iter().map(|group| group.2).sum::<usize>() / per_output;
        let stride = outputs(groups);
        let mut matrix = Matrix { parts: Vec::new(), bytes: 0 };
        let mut first = 0;
        for (packing, groups) in self.cut(sources, groups, finish) {
            let rows = outputs(groups);
            let shape = Shape {
                rows: rows as u32,
                blocks: (cols / COLUMNS) as u32,
                first: first as u32,
                stride: stride as u32,
                scale: self.scale,
            };
            matrix.bytes +=
                self.part(sources, groups, (packing, finish), shape, reader, &mut matrix.parts)?;
            first += rows;
        }
        Ok(matrix)
    }

    /// Cuts the groups where the packing changes, where one is not full, and where a binding would be too large.
    fn cut<'g>(
        &self,
        sources: &[Source],
        groups: &'g [Group],
        finish: Finish,
    ) -> Vec<(Packing, &'g [Group])> {
        let mut parts = Vec::new();
        let mut rest = groups;
        while let Some((source, ..)) = rest.first() {
            let packing = Packing::from(sources[*source].format);
            let most = self.most_groups(packing, sources[*source].cols) / 2 * 2;
            let other = |group: &Group| Packing::from(sources[group.0].format) != packing;
            let other = rest.iter().position(other).unwrap_or(rest.len());
            let short = match finish {
                Finish::Gate(_) => rest.len(),
                _ => rest.iter().position(|group| group.2 < ROWS).map_or(rest.len(), |at| at + 1),
            };
            let (part, after) = rest.split_at(most.max(2).min(other).min(short));
            parts.push((packing, part));
            rest = after;
        }
        parts
    }

    /// Groups of rows that fit one binding.
    fn most_groups(&self, packing: Packing, cols: usize) -> usize {
        let limits = &self.device.limits;
        let bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        (bytes / (group_bytes(packing, cols).0 as u64)).min(1 << 24) as usize
    }

    /// Sends one part and appends it to `parts`. Returns its bytes.
    fn part<R: Read + Seek>(
        &mut self,
        sources: &[Source],
        groups: &[Group],
        (packing, finish): (Packing, Finish),
        shape: Shape,
        reader: &mut Reader<R>,
        parts: &mut Vec<Part>,
    ) -> Result<u64> {
        let (quants, scales) = group_bytes(packing, shape.blocks as usize * COLUMNS);
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let quants_bytes = (quants * groups.len()) as u64;
        let scales_bytes = (scales * groups.len()) as u64;
        let quant_buffer = self.memory.buffer(self.device, "quants", quants_bytes, usage);
        let scale_buffer = self.memory.buffer(self.device, "scales", scales_bytes, usage);
        let at_once = (CHUNK_BYTES / quants).max(1);
        for (index, groups) in groups.chunks(at_once).enumerate() {
            self.gather(sources, groups, (quants, scales), reader)?;
            let at = (index * at_once) as u64;
            self.device.queue.write_buffer(&quant_buffer, at * quants as u64, &self.quants);
            if scales > 0 {
                self.device.queue.write_buffer(&scale_buffer, at * scales as u64, &self.scales);
            }
        }
        let shape_buffer = self.memory.parameters(self.device, "shape", &shape);
        let group =
            self.device.bind(&self.device.layouts.weights, &[&quant_buffer, &scale_buffer, &shape_buffer]);
        parts.push(Part { packing, finish, rows: shape.rows, group });
        Ok(quants_bytes + scales_bytes)
    }

    /// Reads some groups of rows and puts them into the layout of the planes, each of so many bytes.
    fn gather<R: Read + Seek>(
        &mut self,
        sources: &[Source],
        groups: &[Group],
        (quants, scales): (usize, usize),
        reader: &mut Reader<R>,
    ) -> Result<()> {
        self.quants.clear();
        self.quants.resize(quants * groups.len(), 0);
        self.scales.clear();
        self.scales.resize(scales * groups.len(), 0);
        for (index, (source, row, count)) in groups.iter().enumerate() {
            let source = &sources[*source];
            self.raw.resize(source.row_bytes * count, 0);
            reader.rows(source, *row, &mut self.raw)?;
            source.format.to_planes(
                &self.raw,
                source.row_bytes,
                &mut self.quants[index * quants..][..quants],
                &mut self.scales[index * scales..][..scales],
            );
        }
        Ok(())
    }
}

impl Sink for Uploader<'_> {
    fn vectors(&mut self, vectors: Vec<Vec<f32>>) -> Result<()> {
        let bytes = bytes_of(&vectors.iter().flatten().map(|v| v.to_bits()).collect::<Vec<_>>());
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let buffer = self.memory.buffer(self.device, "vectors", bytes.len() as u64, usage);
        self.device.queue.write_buffer(&buffer, 0, &bytes);
        self.uploaded.vectors = Some(buffer);
        Ok(())
    }

    fn matrices<R: Read + Seek>(&mut self, matrices: &[Source], reader: &mut Reader<R>) -> Result<()> {
        let Some(Source { cols, .. }) = matrices.first() else { return Ok(()) };
        if !cols.is_multiple_of(COLUMNS) {
            let tensor = &matrices[0].tensor;
            let cause =
                format!("tensor {tensor} has {cols} columns; the GPU's kernels want a multiple of {COLUMNS}");
            return Err(Error::Unsupported { file: reader.file().to_owned(), cause });
        }
        let all = |index: usize| groups_of(index, matrices[index].rows);
        self.uploaded.matrix = Some(match (self.finish, matrices) {
            (Finish::Gate(activation), [gate, up])
                if Packing::from(gate.format) != Packing::from(up.format) =>
            {
                // One dispatch reads one packing: the gate's product waits in the output for the other's.
                let gate: Vec<Group> = all(0).collect();
                let up: Vec<Group> = all(1).collect();
                let mut matrix = self.matrix(matrices, &gate, Finish::Store, reader)?;
                let Matrix { parts, bytes } =
                    self.matrix(matrices, &up, Finish::Times(activation), reader)?;
                matrix.parts.extend(parts);
                matrix.bytes += bytes;
                matrix
            }
            (Finish::Gate(_), _) => {
                let pair = |(_, row, count)| [(0, row, count), (1, row, count)];
                let groups: Vec<Group> = all(0).flat_map(pair).collect();
                self.matrix(matrices, &groups, self.finish, reader)?
            }
            _ => {
                let groups: Vec<Group> = (0..matrices.len()).flat_map(all).collect();
                self.matrix(matrices, &groups, self.finish, reader)?
            }
        });
        Ok(())
    }
}

fn groups_of(source: usize, rows: usize) -> impl Iterator<Item = Group> {
    (0..rows).step_by(ROWS).map(move |row| (source, row, ROWS.min(rows - row)))
}

/// Bytes of the quants, and of the scales, of a group of rows.
fn group_bytes(packing: Packing, cols: usize) -> (usize, usize) {
    let blocks = cols / COLUMNS * ROWS;
    let (quants, scales) = packing.block_bytes();
    (blocks * quants, blocks * scales)
}
