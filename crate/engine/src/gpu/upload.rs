//! A model's weights on the GPU, streamed there tensor by tensor through one small buffer.
//!
//! Layout: `shaders/shared/weights.wgsl`. A matrix whose bytes exceed what one binding may hold is cut by rows
//! into parts, each with a dispatch of its own.

use std::io::{Read, Seek};

use wgpu::BufferUsages;

use super::device::Device;
use super::geometry::{BLOCK, GROUP_ROWS, Shape, Words};
use super::memory::{Memory, bytes_of};
use super::pipeline::kernel::Bits;
use super::state::weights::{Matrix, OpWeights, Part};
use crate::error::{Error, Result};
use crate::format::{GROUP, PLANE_COLUMNS};
use crate::gguf::Gguf;
use crate::model::weights::{self, Reader, Sink, Source};
use crate::model::{Epilogue, Op, Plan};

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
    /// How the rows of the step's matrices follow each other.
    order: Order,
    uploaded: OpWeights,
    raw: Vec<u8>,
    quants: Vec<u8>,
    scales: Vec<u8>,
}

/// Up to eight rows that are interleaved: a tensor, its first row, how many.
type Group = (usize, usize, usize);

/// How the rows of several tensors follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// One tensor after the other.
    Sequential,
    /// A group of the first, then the group of the second that meets it.
    Interleaved,
}

impl<'a> Uploader<'a> {
    pub(super) fn new(device: &'a Device, memory: &'a mut Memory) -> Self {
        Self {
            device,
            memory,
            order: Order::Sequential,
            uploaded: OpWeights::default(),
            raw: Vec::new(),
            quants: Vec::new(),
            scales: Vec::new(),
        }
    }

    /// Sends the weights of step `index` of the plan.
    ///
    /// # Errors
    /// As [`weights::load_resident`]; also where gate and up are of types that no kernel reads together, or the
    /// columns are no whole blocks.
    pub(super) fn send_op<R: Read + Seek>(
        &mut self,
        gguf: &mut Gguf<R>,
        plan: &Plan,
        index: usize,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<OpWeights> {
        // Gate and up meet in SwiGLU.
        let interleaved = matches!(&plan.ops()[index], Op::Project(project) if matches!(project.epilogue, Epilogue::Gate(_)));
        self.order = if interleaved { Order::Interleaved } else { Order::Sequential };
        weights::load_resident(gguf, plan, index, read_bytes, self)?;
        Ok(std::mem::take(&mut self.uploaded))
    }

    fn matrix<R: Read + Seek>(
        &mut self,
        sources: &[Source],
        groups: &[Group],
        cols: usize,
        reader: &mut Reader<R>,
    ) -> Result<Matrix> {
        let per_output = if self.order == Order::Interleaved { 2 } else { 1 };
        let outputs = |groups: &[Group]| groups.iter().map(|group| group.2).sum::<usize>() / per_output;
        let stride = outputs(groups);
        let mut parts = Vec::new();
        let mut first = 0;
        let mut bytes = 0;
        for (bits, groups) in self.cut(sources, groups, cols) {
            let rows = outputs(groups);
            let shape = Shape {
                rows: rows as u32,
                blocks: (cols / COLUMNS) as u32,
                first: first as u32,
                stride: stride as u32,
            };
            let (part, part_bytes) = self.part(sources, groups, bits, shape, reader)?;
            parts.push(part);
            first += rows;
            bytes += part_bytes;
        }
        Ok(Matrix { parts, bytes })
    }

    /// Cuts the groups where the type changes, where one is not full, and where a binding would be too large.
    fn cut<'g>(&self, sources: &[Source], groups: &'g [Group], cols: usize) -> Vec<(Bits, &'g [Group])> {
        let mut parts = Vec::new();
        let mut rest = groups;
        while let Some((source, ..)) = rest.first() {
            let bits = Bits::from(sources[*source].format);
            let most = self.most_groups(bits, cols) / 2 * 2;
            let other = rest
                .iter()
                .position(|group| Bits::from(sources[group.0].format) != bits)
                .unwrap_or(rest.len());
            let short = match self.order {
                Order::Sequential => {
                    rest.iter().position(|group| group.2 < ROWS).map_or(rest.len(), |at| at + 1)
                }
                Order::Interleaved => rest.len(),
            };
            let (part, after) = rest.split_at(most.max(2).min(other).min(short));
            parts.push((bits, part));
            rest = after;
        }
        parts
    }

    /// Groups of rows that fit one binding.
    fn most_groups(&self, bits: Bits, cols: usize) -> usize {
        let limits = &self.device.limits;
        let bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        (bytes / (quant_bytes(bits, cols) as u64)).min(1 << 24) as usize
    }

    fn part<R: Read + Seek>(
        &mut self,
        sources: &[Source],
        groups: &[Group],
        bits: Bits,
        shape: Shape,
        reader: &mut Reader<R>,
    ) -> Result<(Part, u64)> {
        let cols = shape.blocks as usize * COLUMNS;
        let quants = quant_bytes(bits, cols);
        let scales = if bits.is_quantized() { cols } else { 0 };
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let quants_bytes = (quants * groups.len()) as u64;
        let scales_bytes = (scales * groups.len()).max(16) as u64;
        let quant_buffer = self.memory.buffer(self.device, "quants", quants_bytes, usage);
        let scale_buffer = self.memory.buffer(self.device, "scales", scales_bytes, usage);
        let at_once = (CHUNK_BYTES / quants).max(1);
        for (index, groups) in groups.chunks(at_once).enumerate() {
            self.gather(sources, groups, bits, cols, reader)?;
            let at = (index * at_once) as u64;
            self.device.queue.write_buffer(&quant_buffer, at * quants as u64, &self.quants);
            if bits.is_quantized() {
                self.device.queue.write_buffer(&scale_buffer, at * scales as u64, &self.scales);
            }
        }
        let mut bytes = Vec::new();
        shape.put(&mut bytes);
        let shape_buffer = self.memory.buffer(self.device, "shape", bytes.len() as u64, usage);
        self.device.queue.write_buffer(&shape_buffer, 0, &bytes);
        let group =
            self.device.bind(&self.device.layouts.weights, &[&quant_buffer, &scale_buffer, &shape_buffer]);
        Ok((Part { bits, rows: shape.rows, group }, quants_bytes + scales_bytes))
    }

    /// Reads some groups of rows and puts them into the layout of the planes.
    fn gather<R: Read + Seek>(
        &mut self,
        sources: &[Source],
        groups: &[Group],
        bits: Bits,
        cols: usize,
        reader: &mut Reader<R>,
    ) -> Result<()> {
        let quants = quant_bytes(bits, cols);
        let scales = cols;
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
        let weights = vectors.concat();
        let bytes = bytes_of(&weights.iter().map(|weight| weight.to_bits()).collect::<Vec<_>>());
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let buffer = self.memory.buffer(self.device, "norm weights", bytes.len() as u64, usage);
        self.device.queue.write_buffer(&buffer, 0, &bytes);
        self.uploaded.norm = Some(buffer);
        Ok(())
    }

    fn matrices<R: Read + Seek>(&mut self, matrices: &[Source], reader: &mut Reader<R>) -> Result<()> {
        let unsupported =
            |reader: &Reader<R>, cause| Err(Error::Unsupported { file: reader.file().to_owned(), cause });
        let [first, others @ ..] = matrices else { return Ok(()) };
        if !first.cols.is_multiple_of(COLUMNS) {
            let Source { tensor, cols, .. } = first;
            let cause =
                format!("tensor {tensor} has {cols} columns; the GPU's kernels want a multiple of {COLUMNS}");
            return unsupported(reader, cause);
        }
        let groups: Vec<Group> = match (self.order, others) {
            (Order::Interleaved, [up]) if Bits::from(first.format) != Bits::from(up.format) => {
                let names = format!("{} and {}", first.tensor, up.tensor);
                let cause = format!("{names} have different types, which the GPU's kernels do not read");
                return unsupported(reader, cause);
            }
            (Order::Interleaved, _) => {
                let pair = |(_, row, count)| [(0, row, count), (1, row, count)];
                groups_of(0, first.rows).flat_map(pair).collect()
            }
            (Order::Sequential, _) => {
                let of = |(index, source): (usize, &Source)| groups_of(index, source.rows);
                matrices.iter().enumerate().flat_map(of).collect()
            }
        };
        self.uploaded.matrix = Some(self.matrix(matrices, &groups, first.cols, reader)?);
        Ok(())
    }
}

fn groups_of(source: usize, rows: usize) -> impl Iterator<Item = Group> {
    (0..rows).step_by(ROWS).map(move |row| (source, row, ROWS.min(rows - row)))
}

/// Bytes of the quants of a group of rows; their scales take `cols` bytes, four for each block and row.
fn quant_bytes(bits: Bits, cols: usize) -> usize {
    cols * bits as usize * ROWS / 8
}
