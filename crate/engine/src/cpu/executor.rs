//! Runs the steps of a plan at once on this processor: one batch's way through weights that it is handed. Whether those
//! are held for good or stream by is the caller's business.

use std::ops::Range;
use std::sync::Arc;

use super::attention::BatchAttention;
use super::kernels::layout::rows_of;
use super::kernels::portable;
use super::kernels::quants::{Quants, quantize_row};
use super::matrix::Matrix;
use super::pool::DisjointSlices;
use super::products::{Input, Processor, Quantizer, multiply, multiply_whole};
use super::state::cache::KvCache;
use super::state::workspace::Workspace;
use super::weights::OpWeights;
use crate::model::{
    Activation, Activations, AddNormed, Epilogue, Norm, Op, Plan, Precision, Project, Prologue, RopeAppend,
    Rotation, Rows, rope_angles,
};

/// Most tokens in one batch: long enough that weights are read from cache for most of them, short enough
/// that an abort during a long prompt is answered soon.
pub const MAX_BATCH: usize = 32;

/// Cache and buffers that no step allocates, and the batch under way.
pub(super) struct Executor {
    pub(super) processor: Processor,
    pub(super) plan: Arc<Plan>,
    cache: KvCache,
    /// The plan's.
    rotations: Vec<Rotation>,
    /// The batch's cosines and sines for each, (tokens, dims / 2).
    angles: Vec<Vec<(f32, f32)>>,
    workspace: Workspace,
    /// The batch under way: where it starts, how many tokens, and how finely each is quantised.
    position: usize,
    tokens: usize,
    precisions: Vec<Precision>,
}

impl Executor {
    /// For batches of up to `tokens`, and a cache of (layers, positions); with fewer layers than the model has, layers
    /// share their places. `rotations`: see [`load_ropes`](crate::model::weights::load_ropes).
    pub(super) fn new(
        plan: &Arc<Plan>,
        processor: &Processor,
        tokens: usize,
        (layers, positions): (usize, usize),
        rotations: Vec<Rotation>,
    ) -> Self {
        let spec = &plan.spec;
        let room = |rotation: &Rotation| Vec::with_capacity(tokens * rotation.frequencies.len());
        Self {
            processor: processor.clone(),
            angles: rotations.iter().map(room).collect(),
            rotations,
            cache: KvCache::new(spec, layers, positions),
            workspace: Workspace::new(spec, tokens, positions),
            plan: Arc::clone(plan),
            position: 0,
            tokens: 0,
            precisions: Vec::with_capacity(tokens),
        }
    }

    /// Bytes of keys and values that a token after `position` others reads.
    pub(super) fn cache_bytes(&self, position: usize) -> u64 {
        KvCache::bytes(&self.plan.spec, position + 1)
    }

    pub(super) fn positions(&self) -> usize {
        self.cache.positions()
    }

    /// Starts a batch at `position`, of tokens with these `precisions`; `embedding` writes the row of its i-th token,
    /// (width,).
    pub(super) fn embed(
        &mut self,
        position: usize,
        precisions: impl Iterator<Item = Precision>,
        embedding: impl Fn(usize, &mut [f32]),
    ) {
        self.precisions.clear();
        self.precisions.extend(precisions);
        let tokens = self.precisions.len();
        assert!(tokens <= MAX_BATCH, "a batch has at most {MAX_BATCH} tokens");
        assert!(position + tokens <= self.positions(), "the batch fits the context");
        self.position = position;
        self.tokens = tokens;
        for (angles, rotation) in self.angles.iter_mut().zip(&self.rotations) {
            angles.clear();
            angles.extend(rope_angles(rotation, position..position + tokens));
        }
        let scale = self.plan.spec.embedding_scale;
        let rows = self.workspace.residual.chunks_exact_mut(self.plan.spec.width).take(tokens);
        for (index, row) in rows.enumerate() {
            embedding(index, row);
            row.iter_mut().for_each(|v| *v *= scale);
        }
    }

    /// Runs a step between the embedding and the head.
    pub(super) fn run(&mut self, op: &Op, weights: &OpWeights) {
        match op {
            Op::Embed(_) => {}
            Op::Project(project) => {
                self.prologue(project, weights);
                self.multiply(project, weights);
            }
            Op::RopeAppend(step) => self.rope_append(step, weights),
            Op::Attend { layer, window } => self.attend(*layer, *window),
            Op::AddNormed(step) => self.add_normed(step, weights),
        }
    }

    /// Prepares the input of a projection: quantised, in [`Workspace::quantized`].
    pub(super) fn prologue(&mut self, project: &Project, weights: &OpWeights) {
        if let Some(norm) = &project.norm {
            return self.norm(&weights.vectors[0], norm.eps, 0..self.tokens, None);
        }
        let Some(cols) = project.weights.first().map(Rows::cols) else { return };
        let Workspace { normed, attended, gate, quantized, .. } = &mut self.workspace;
        let x = input(project, normed, attended, gate);
        let quantizer = Quantizer::new(self.processor.kernels, quantized, cols, &self.precisions);
        self.processor.pool.split(self.tokens, &|tokens| {
            for token in tokens {
                // SAFETY: a token is handed out once.
                unsafe { quantizer.row(token, &x[token * cols..][..cols]) };
            }
        });
    }

    /// Multiplies what the prologue prepared, and puts the product where the epilogue says.
    pub(super) fn multiply(&mut self, project: &Project, weights: &OpWeights) {
        match (project.epilogue, weights.matrices.as_slice()) {
            (Epilogue::Store, [query, key, value]) => self.multiply_qkv(query, key, value),
            (Epilogue::Store, [matrix]) => self.multiply_store(project, matrix),
            (Epilogue::AddResidual, [matrix]) => self.multiply_add(project, matrix),
            (Epilogue::Gate(activation), [gate, up]) => self.multiply_gate_up(activation, gate, up),
            (epilogue, matrices) => unreachable!("no plan has {epilogue:?} of {} matrices", matrices.len()),
        }
    }

    /// Norm of some rows of the residual stream, quantised as well: as the batch says, or all with one precision.
    fn norm(&mut self, weight: &[f32], eps: f32, rows: Range<usize>, precision: Option<Precision>) {
        let w = &mut self.workspace;
        let width = self.plan.spec.width;
        let precisions = match precision {
            Some(precision) => &[precision; MAX_BATCH][..rows.len()],
            None => &self.precisions[rows.clone()],
        };
        let quantizer = Quantizer::new(self.processor.kernels, &mut w.quantized, width, precisions);
        let normed = DisjointSlices::of(&mut w.normed);
        let residual = &w.residual[rows.start * width..];
        self.processor.pool.split(rows.len(), &|tokens| {
            for token in tokens {
                // SAFETY: a token is handed out once.
                unsafe {
                    let out = normed.slice(token * width, width);
                    portable::rms_norm(&residual[token * width..][..width], weight, eps, out);
                    quantizer.row(token, out);
                }
            }
        });
    }

    fn multiply_qkv(&mut self, query: &Matrix, key: &Matrix, value: &Matrix) {
        let w = &mut self.workspace;
        let x = Input::new(&w.normed, &w.quantized, self.tokens, query.cols());
        let products = [(query, &mut w.query[..]), (key, &mut w.key[..]), (value, &mut w.value[..])];
        multiply_whole(&self.processor, products, &x);
    }

    /// A product that is normed before it is added.
    fn multiply_store(&mut self, project: &Project, matrix: &Matrix) {
        let Workspace { normed, product, attended, gate, quantized, .. } = &mut self.workspace;
        let x = Input::new(input(project, normed, attended, gate), quantized, self.tokens, matrix.cols());
        multiply_whole(&self.processor, [(matrix, &mut product[..])], &x);
    }

    fn multiply_add(&mut self, project: &Project, matrix: &Matrix) {
        let tokens = self.tokens;
        let all = matrix.rows();
        let Workspace { normed, product, attended, gate, quantized, residual, .. } = &mut self.workspace;
        let x = Input::new(input(project, normed, attended, gate), quantized, tokens, matrix.cols());
        let product = DisjointSlices::of(product);
        let residual = DisjointSlices::of(residual);
        let kernels = self.processor.kernels;
        self.processor.pool.split(matrix.groups(), &|groups| {
            let rows = rows_of(groups.clone(), all);
            // SAFETY: a group is handed out once.
            unsafe {
                multiply(kernels, matrix, &x, &product, groups);
                for token in 0..tokens {
                    let start = token * all + rows.start;
                    let product = product.slice(start, rows.len());
                    portable::add_scaled(residual.slice(start, rows.len()), product, project.scale);
                }
            }
        });
    }

    fn multiply_gate_up(&mut self, activation: Activation, gate: &Matrix, up: &Matrix) {
        let activate = match activation {
            Activation::Silu => portable::swiglu,
            Activation::GeluTanh => portable::geglu,
        };
        let tokens = self.tokens;
        let all = gate.rows();
        let w = &mut self.workspace;
        let x = Input::new(&w.normed, &w.quantized, tokens, gate.cols());
        let gates = DisjointSlices::of(&mut w.gate);
        let ups = DisjointSlices::of(&mut w.up);
        let kernels = self.processor.kernels;
        self.processor.pool.split(gate.groups(), &|groups| {
            let rows = rows_of(groups.clone(), all);
            // SAFETY: a group is handed out once.
            unsafe {
                multiply(kernels, gate, &x, &gates, groups.clone());
                multiply(kernels, up, &x, &ups, groups);
                for token in 0..tokens {
                    let start = token * all + rows.start;
                    activate(gates.slice(start, rows.len()), ups.slice(start, rows.len()));
                }
            }
        });
    }

    fn rope_append(&mut self, step: &RopeAppend, weights: &OpWeights) {
        let spec = &self.plan.spec;
        let w = &mut self.workspace;
        let queries = spec.query_width();
        let kv = spec.kv_width();
        let angles = step.rope.map(|rope| (&self.angles[rope][..], self.rotations[rope].frequencies.len()));
        let (biases, norms) = weights.vectors.split_at(if step.biases.is_some() { 3 } else { 0 });
        let add_biases = |rows: [&mut [f32]; 3]| {
            rows.into_iter().zip(biases).for_each(|(row, bias)| portable::add_scaled(row, bias, 1.0));
        };
        let ready = |heads: &mut [f32], norm: usize, token: usize| {
            if let Some(head_norms) = &step.head_norms {
                portable::rms_norm_heads(heads, &norms[norm], head_norms.eps);
            }
            if let Some((angles, half)) = angles {
                portable::rotate(heads, spec.head_dim, &angles[token * half..][..half]);
            }
        };
        let query = DisjointSlices::of(&mut w.query);
        let key = DisjointSlices::of(&mut w.key);
        let value = DisjointSlices::of(&mut w.value);
        let quants = DisjointSlices::of(&mut w.query_quants);
        let scales = DisjointSlices::of(&mut w.query_scales);
        let cache = self.cache.writer();
        self.processor.pool.split(self.tokens, &|tokens| {
            for token in tokens {
                let position = self.position + token;
                // SAFETY: a token is handed out once.
                unsafe {
                    let query = query.slice(token * queries, queries);
                    let key = key.slice(token * kv, kv);
                    let value = value.slice(token * kv, kv);
                    add_biases([&mut *query, &mut *key, &mut *value]);
                    ready(query, 0, token);
                    ready(key, 1, token);
                    // One multiplication a column instead of one a score.
                    query.iter_mut().for_each(|q| *q *= step.query_scale);
                    let quants = quants.slice(token * queries, queries);
                    let scales = scales.slice(token * spec.heads, spec.heads);
                    quantize_heads(query, spec.head_dim, quants, scales);
                    cache.store(step.layer, position, key, value);
                }
            }
        });
    }

    /// Adds the stored product, normed, to the residual stream.
    fn add_normed(&mut self, step: &AddNormed, weights: &OpWeights) {
        let w = &mut self.workspace;
        let normed = DisjointSlices::of(&mut w.normed);
        let residual = DisjointSlices::of(&mut w.residual);
        let product = &w.product;
        self.processor.pool.split(self.tokens, &|tokens| {
            for token in tokens {
                let start = token * step.width;
                // SAFETY: a token is handed out once.
                unsafe {
                    let normed = normed.slice(start, step.width);
                    let product = &product[start..][..step.width];
                    portable::rms_norm(product, &weights.vectors[0], step.norm.eps, normed);
                    portable::add_scaled(residual.slice(start, step.width), normed, 1.0);
                }
            }
        });
    }

    fn attend(&mut self, layer: usize, window: Option<usize>) {
        let w = &mut self.workspace;
        let cells = self.tokens * self.plan.spec.query_width();
        let attention = BatchAttention {
            kernels: self.processor.kernels,
            spec: &self.plan.spec,
            cache: &self.cache,
            layer,
            window,
            position: self.position,
            query: Quants { quants: &w.query_quants[..cells], scales: &w.query_scales },
        };
        attention.run(&self.processor.pool, &mut w.spans, &mut w.attended[..cells]);
    }

    /// Runs the head `op` for `rows` of the batch: its norm, and logits for the rows of the vocabulary in `matrix`, all
    /// or a slice. `out` is (rows, rows of `matrix`).
    pub(super) fn head(
        &mut self,
        op: &Op,
        norm: &[f32],
        matrix: &Matrix,
        rows: Range<usize>,
        out: &mut [f32],
    ) {
        let Op::Project(Project { norm: Some(Norm { eps, .. }), scale, .. }) = op else {
            unreachable!("a head begins with a norm")
        };
        let tokens = rows.len();
        // Only its best tokens matter: they are told apart as finely as can be.
        self.norm(norm, *eps, rows, Some(Precision::Fourteen));
        let w = &self.workspace;
        let x = Input::new(&w.normed, &w.quantized, tokens, matrix.cols());
        multiply_whole(&self.processor, [(matrix, &mut *out)], &x);
        if *scale != 1.0 {
            out.iter_mut().for_each(|logit| *logit *= scale);
        }
    }

    /// A copy of the activations that a step of the body left, (tokens, its width).
    pub(super) fn output(&self, activations: Activations) -> Vec<f32> {
        let spec = &self.plan.spec;
        let w = &self.workspace;
        let batch = |values: &[f32], width: usize| values[..self.tokens * width].to_vec();
        match activations {
            Activations::Residual => batch(&w.residual, spec.width),
            Activations::Queries => batch(&w.query, spec.query_width()),
            Activations::Attended => batch(&w.attended, spec.query_width()),
            Activations::Gated => batch(&w.gate, spec.ffn),
            Activations::Product => batch(&w.product, spec.width),
            Activations::Qkv => {
                let row = |token: usize| {
                    let of = |values: &[f32], width: usize| values[token * width..][..width].to_vec();
                    let query = of(&w.query, spec.query_width());
                    [query, of(&w.key, spec.kv_width()), of(&w.value, spec.kv_width())].concat()
                };
                (0..self.tokens).flat_map(row).collect()
            }
            Activations::Logits => unreachable!("logits go to the caller's buffer"),
        }
    }
}

/// The floats that a projection reads.
fn input<'a>(project: &Project, normed: &'a [f32], attended: &'a [f32], gate: &'a [f32]) -> &'a [f32] {
    match project.prologue {
        Prologue::Norm => normed,
        Prologue::MergeAttention => attended,
        Prologue::Gated => gate,
    }
}

/// Every head of `query` by itself: (heads, dim), with a scale a head.
fn quantize_heads(query: &[f32], dim: usize, quants: &mut [i16], scales: &mut [f32]) {
    let heads = query.chunks_exact(dim).zip(quants.chunks_exact_mut(dim)).zip(scales);
    heads.for_each(|((head, quants), scale)| *scale = quantize_row(head, |d, q| quants[d] = q));
}
