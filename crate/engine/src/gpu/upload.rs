//! A model's weights on the GPU, streamed there tensor by tensor through one small buffer.
//!
//! Layout: `shaders/shared/weights.wgsl`. A matrix whose bytes exceed what one binding may hold is cut by rows
//! into parts, each with a dispatch of its own.

use std::io::{Read, Seek};

use wgpu::{Buffer, BufferUsages};

use super::device::Device;
use super::geometry::{BLOCK, GROUP_ROWS, Shape, Words};
use super::memory::Memory;
use super::pipeline::kernel::Bits;
use super::state::weights::{Matrix, Part};
use crate::error::{Error, Result};
use crate::gguf::{Dtype, Gguf, TensorInfo};
use crate::quant::{f16_to_f32, f32_to_f16};

/// Rows interleaved.
const ROWS: usize = GROUP_ROWS as usize;

/// Columns of a block.
const COLUMNS: usize = BLOCK as usize;

/// Bytes of weights gathered before they are sent.
const CHUNK_BYTES: usize = 1 << 19;

/// What a tensor of the file becomes.
struct Source {
    name: String,
    dtype: Dtype,
    rows: usize,
    row_bytes: usize,
}

impl Source {
    fn of<R: Read + Seek>(gguf: &Gguf<R>, name: &str, rows: usize, cols: usize) -> Result<Self> {
        let info = checked(gguf, name, rows, cols)?;
        let row_bytes = (info.bytes / rows as u64) as usize;
        Ok(Self { name: name.to_owned(), dtype: info.dtype.clone(), rows, row_bytes })
    }

    fn bits(&self) -> Bits {
        match self.dtype {
            Dtype::Q4_0 | Dtype::Q4_1 => Bits::Q4,
            Dtype::Q8_0 => Bits::Q8,
            Dtype::F16 => Bits::F16,
            _ => Bits::F32,
        }
    }
}

fn checked<'a, R: Read + Seek>(
    gguf: &'a Gguf<R>,
    name: &str,
    rows: usize,
    cols: usize,
) -> Result<&'a TensorInfo> {
    let file = || gguf.file().to_owned();
    let info = gguf
        .tensor(name)
        .ok_or_else(|| Error::BadFile { file: file(), cause: format!("tensor {name} is missing") })?;
    if info.shape != [rows, cols] {
        let cause =
            format!("tensor {name} has shape {:?}, the metadata call for {rows} × {cols}", info.shape);
        return Err(Error::BadFile { file: file(), cause });
    }
    let unsupported = |cause| Err(Error::Unsupported { file: file(), cause });
    if let Dtype::Other(dtype) = &info.dtype {
        return unsupported(format!("tensor {name} has type {dtype}, which the GPU's kernels do not read"));
    }
    if !cols.is_multiple_of(COLUMNS) {
        return unsupported(format!(
            "tensor {name} has {cols} columns; the GPU's kernels want a multiple of {COLUMNS}"
        ));
    }
    Ok(info)
}

/// Sends matrices to the device.
pub(super) struct Uploader<'a, R> {
    pub(super) device: &'a Device,
    pub(super) gguf: &'a mut Gguf<R>,
    pub(super) memory: &'a mut Memory,
    pub(super) read_bytes: &'a mut dyn FnMut(u64),
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
    InTurn,
    /// A group of the first, then the group of the second that meets it.
    InPairs,
}

impl<'a, R: Read + Seek> Uploader<'a, R> {
    pub(super) fn new(
        device: &'a Device,
        gguf: &'a mut Gguf<R>,
        memory: &'a mut Memory,
        read_bytes: &'a mut dyn FnMut(u64),
    ) -> Self {
        Self { device, gguf, memory, read_bytes, raw: Vec::new(), quants: Vec::new(), scales: Vec::new() }
    }

    /// Tensors (name, rows) of `cols` columns whose outputs follow each other in a row.
    ///
    /// # Errors
    /// A tensor is missing, of the wrong shape or of a type without kernels, or cannot be read.
    pub(super) fn rows(&mut self, tensors: &[(&str, usize)], cols: usize) -> Result<Matrix> {
        let sources = self.sources(tensors, cols)?;
        let groups: Vec<Group> =
            sources.iter().enumerate().flat_map(|(index, source)| groups_of(index, source.rows)).collect();
        self.matrix(&sources, &groups, cols, Order::InTurn)
    }

    /// Gate and up projection (rows, cols), whose outputs meet in SwiGLU.
    ///
    /// # Errors
    /// As [`Uploader::rows`]; also where the two are of different types.
    pub(super) fn pairs(&mut self, gate: &str, up: &str, rows: usize, cols: usize) -> Result<Matrix> {
        let sources = self.sources(&[(gate, rows), (up, rows)], cols)?;
        if sources[0].bits() != sources[1].bits() {
            let cause = format!("{gate} and {up} have different types, which the GPU's kernels do not read");
            return Err(Error::Unsupported { file: self.gguf.file().to_owned(), cause });
        }
        let pair = |(_, row, count)| [(0, row, count), (1, row, count)];
        let groups: Vec<Group> = groups_of(0, rows).flat_map(pair).collect();
        self.matrix(&sources, &groups, cols, Order::InPairs)
    }

    fn sources(&self, tensors: &[(&str, usize)], cols: usize) -> Result<Vec<Source>> {
        tensors.iter().map(|(name, rows)| Source::of(self.gguf, name, *rows, cols)).collect()
    }

    fn matrix(&mut self, sources: &[Source], groups: &[Group], cols: usize, order: Order) -> Result<Matrix> {
        let per_output = if order == Order::InPairs { 2 } else { 1 };
        let outputs = |groups: &[Group]| groups.iter().map(|group| group.2).sum::<usize>() / per_output;
        let stride = outputs(groups);
        let mut parts = Vec::new();
        let mut first = 0;
        let mut bytes = 0;
        for (bits, groups) in self.cut(sources, groups, cols, order) {
            let rows = outputs(groups);
            let shape = Shape {
                rows: rows as u32,
                blocks: (cols / COLUMNS) as u32,
                first: first as u32,
                stride: stride as u32,
            };
            let (part, part_bytes) = self.part(sources, groups, bits, shape)?;
            parts.push(part);
            first += rows;
            bytes += part_bytes;
        }
        Ok(Matrix { parts, bytes })
    }

    /// Cuts the groups where the type changes, where one is not full, and where a binding would be too large.
    fn cut<'g>(
        &self,
        sources: &[Source],
        groups: &'g [Group],
        cols: usize,
        order: Order,
    ) -> Vec<(Bits, &'g [Group])> {
        let mut parts = Vec::new();
        let mut rest = groups;
        while let Some((source, ..)) = rest.first() {
            let bits = sources[*source].bits();
            let most = self.most_groups(bits, cols) / 2 * 2;
            let other = rest.iter().position(|group| sources[group.0].bits() != bits).unwrap_or(rest.len());
            let short = match order {
                Order::InTurn => rest.iter().position(|group| group.2 < ROWS).map_or(rest.len(), |at| at + 1),
                Order::InPairs => rest.len(),
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

    fn part(
        &mut self,
        sources: &[Source],
        groups: &[Group],
        bits: Bits,
        shape: Shape,
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
            self.send(sources, groups, bits, cols, (&quant_buffer, &scale_buffer), index * at_once)?;
        }
        let mut bytes = Vec::new();
        shape.put(&mut bytes);
        let shape_buffer = self.memory.buffer(self.device, "shape", bytes.len() as u64, usage);
        self.device.queue.write_buffer(&shape_buffer, 0, &bytes);
        let group =
            self.device.bind(&self.device.layouts.weights, &[&quant_buffer, &scale_buffer, &shape_buffer]);
        Ok((Part { bits, rows: shape.rows, group }, quants_bytes + scales_bytes))
    }

    /// Reads some groups of rows and writes them to their place, `at` groups from the start of the buffers.
    fn send(
        &mut self,
        sources: &[Source],
        groups: &[Group],
        bits: Bits,
        cols: usize,
        buffers: (&Buffer, &Buffer),
        at: usize,
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
            self.gguf.read_range(&source.name, (row * source.row_bytes) as u64, &mut self.raw)?;
            (self.read_bytes)(self.raw.len() as u64);
            let to =
                (&mut self.quants[index * quants..][..quants], &mut self.scales[index * scales..][..scales]);
            interleave(&source.dtype, &self.raw, source.row_bytes, to);
        }
        let queue = &self.device.queue;
        queue.write_buffer(buffers.0, (at * quants) as u64, &self.quants);
        if bits.is_quantized() {
            queue.write_buffer(buffers.1, (at * scales) as u64, &self.scales);
        }
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

/// Writes up to eight rows of the file to the device's layout; a buffer's padding stays zero.
fn interleave(dtype: &Dtype, raw: &[u8], row_bytes: usize, (quants, scales): (&mut [u8], &mut [u8])) {
    // Bytes of a block in the file, and how many of them are its scales.
    let (block_bytes, head) = match dtype {
        Dtype::Q4_0 => (18, 2),
        Dtype::Q4_1 => (20, 4),
        Dtype::Q8_0 => (34, 2),
        Dtype::F16 => (64, 0),
        _ => (128, 0),
    };
    for (lane, row) in raw.chunks_exact(row_bytes).enumerate() {
        for (block, bytes) in row.chunks_exact(block_bytes).enumerate() {
            let (scale, values) = bytes.split_at(head);
            for (vector, words) in values.chunks_exact(16).enumerate() {
                let vectors = values.len() / 16;
                quants[((block * vectors + vector) * ROWS + lane) * 16..][..16].copy_from_slice(words);
            }
            let to = (block * ROWS + lane) * 4;
            match dtype {
                Dtype::Q4_0 => {
                    let minimum = -8.0 * f16_to_f32(u16::from_le_bytes([scale[0], scale[1]]));
                    scales[to..to + 2].copy_from_slice(scale);
                    scales[to + 2..to + 4].copy_from_slice(&f32_to_f16(minimum).to_le_bytes());
                }
                _ => scales[to..to + head].copy_from_slice(scale),
            }
        }
    }
}
