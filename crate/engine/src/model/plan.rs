//! The order in which a model is computed: the only place that knows one. Backends run [`Op`]s; trace, self-check,
//! profile, streamed pass and estimate walk the same list.

use std::fmt;
use std::io::{Read, Seek};
use std::ops::Range;

use super::spec::{Activation, Linear, Norm, Pairs, Rope, Rows, Spec};
use crate::error::{Error, Result};
use crate::gguf::Gguf;

/// A [`Spec`] with its steps in order: the embedding, each layer's, the head.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The model.
    pub spec: Spec,
    /// The rotations of queries and keys; layers share them.
    pub ropes: Vec<Rope>,
    ops: Vec<Op>,
    /// Each layer's part of `ops`.
    layers: Vec<Range<usize>>,
}

/// One step of a token's way through the model.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Rows of the table by token id become the residual stream.
    Embed(Rows),
    /// Weights times activations.
    Project(Project),
    /// Queries and keys are rotated by position with `Plan::ropes[rope]`; keys and values join the cache.
    RopeAppend {
        /// Whose cache.
        layer: usize,
        /// Which rotation.
        rope: usize,
    },
    /// Queries against the cache, causal.
    Attend {
        /// Whose cache.
        layer: usize,
    },
}

/// A multiplication with weights, and what is computed on both ends of it without another pass over memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// Where in a layer.
    pub projection: Projection,
    /// The computation on its input.
    pub prologue: Prologue,
    /// The norm of [`Prologue::Norm`].
    pub norm: Option<Norm>,
    /// The matrices, which all take the same input.
    pub weights: Vec<Rows>,
    /// The computation on the product.
    pub epilogue: Epilogue,
}

/// The places where activations meet weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Projection {
    /// Queries, keys and values.
    Qkv,
    /// Out of attention.
    Output,
    /// Gate and up, into the feed-forward network.
    GateUp,
    /// Down, out of it.
    Down,
    /// To logits.
    Head,
}

/// The input of a projection, and the computation on it that comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prologue {
    /// The residual stream, normed.
    Norm,
    /// Attention's result, put together from the spans it was computed in.
    MergeAttention,
    /// The gated activations of the feed-forward network, as they are.
    Gated,
}

/// Where a product goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Epilogue {
    /// To a buffer of its own, the matrices' rows side by side.
    Store,
    /// Onto the residual stream.
    AddResidual,
    /// `silu(gate) · up` of two matrices' products.
    SwiGlu,
}

/// The kind of an [`Op`]; displayed as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// [`Op::Embed`].
    Embed,
    /// [`Op::RopeAppend`].
    RopeAppend,
    /// [`Op::Attend`].
    Attend,
    /// [`Op::Project`].
    Project(Projection),
}

/// A batch's activations that a step leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activations {
    /// (tokens, width).
    Residual,
    /// Queries, keys and values of a token side by side, (tokens, query width + 2 · key-value width).
    Qkv,
    /// Queries, rotated and scaled, (tokens, query width).
    Queries,
    /// (tokens, query width).
    Attended,
    /// (tokens, ffn).
    Gated,
    /// (rows, vocabulary).
    Logits,
}

impl Projection {
    /// All of them, in the order of a token's way.
    pub const ALL: [Self; 5] = [Self::Qkv, Self::Output, Self::GateUp, Self::Down, Self::Head];

    /// The computations before and after the multiplication.
    pub fn ends(self) -> (Prologue, Epilogue) {
        match self {
            Self::Qkv | Self::Head => (Prologue::Norm, Epilogue::Store),
            Self::Output => (Prologue::MergeAttention, Epilogue::AddResidual),
            Self::GateUp => (Prologue::Norm, Epilogue::SwiGlu),
            Self::Down => (Prologue::Gated, Epilogue::AddResidual),
        }
    }
}

impl Op {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Embed(_) => Kind::Embed,
            Self::Project(project) => Kind::Project(project.projection),
            Self::RopeAppend { .. } => Kind::RopeAppend,
            Self::Attend { .. } => Kind::Attend,
        }
    }

    /// The matrices it reads.
    pub fn weights(&self) -> &[Rows] {
        match self {
            Self::Embed(table) => std::slice::from_ref(table),
            Self::Project(project) => &project.weights,
            Self::RopeAppend { .. } | Self::Attend { .. } => &[],
        }
    }

    /// The norm it begins with.
    pub fn norm(&self) -> Option<&Norm> {
        match self {
            Self::Project(project) => project.norm.as_ref(),
            Self::Embed(_) | Self::RopeAppend { .. } | Self::Attend { .. } => None,
        }
    }

    /// Names of all tensors that it reads.
    pub fn tensors(&self) -> impl Iterator<Item = &str> {
        let matrices = self.weights().iter().map(|rows| rows.tensor.as_str());
        matrices.chain(self.norm().map(|norm| norm.tensor.as_str()))
    }

    /// The activations that it leaves behind.
    pub fn output(&self) -> Activations {
        match self.kind() {
            Kind::Embed | Kind::Project(Projection::Output | Projection::Down) => Activations::Residual,
            Kind::Project(Projection::Qkv) => Activations::Qkv,
            Kind::RopeAppend => Activations::Queries,
            Kind::Attend => Activations::Attended,
            Kind::Project(Projection::GateUp) => Activations::Gated,
            Kind::Project(Projection::Head) => Activations::Logits,
        }
    }

    /// The same step with the rows `rows` alone of each of its matrices.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let mut op = self.clone();
        match &mut op {
            Self::Embed(table) => *table = table.slice(rows),
            Self::Project(project) => {
                project.weights.iter_mut().for_each(|weight| *weight = weight.slice(rows.clone()));
            }
            Self::RopeAppend { .. } | Self::Attend { .. } => {}
        }
        op
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embed => "embed",
            Self::RopeAppend => "rope + KV append",
            Self::Attend => "attention",
            Self::Project(Projection::Qkv) => "norm + QKV",
            Self::Project(Projection::Output) => "output + residual",
            Self::Project(Projection::GateUp) => "norm + gate·up",
            Self::Project(Projection::Down) => "down + residual",
            Self::Project(Projection::Head) => "norm + head",
        })
    }
}

impl Plan {
    /// The steps of the model in this file.
    ///
    /// # Errors
    /// An architecture without a file in `arch/`, a missing key, or a value outside what any real model has: the
    /// sentence names the key and the value. Also as [`Plan::new`].
    pub fn of<R: Read + Seek>(gguf: &Gguf<R>) -> Result<Self> {
        gguf.expect_whole(&[gguf.file()])?;
        Self::new(gguf.file(), super::arch::spec(gguf)?)
    }

    /// The steps of `spec`; `file` is the name that messages use.
    ///
    /// # Errors
    /// The model calls for something that no step does yet, which the sentence names.
    pub fn new(file: &str, spec: Spec) -> Result<Self> {
        check_supported(file, &spec)?;
        let mut ropes: Vec<Rope> = Vec::new();
        let mut ops = vec![Op::Embed(spec.embedding.clone())];
        let mut layers = Vec::with_capacity(spec.layers.len());
        for (layer, of_layer) in spec.layers.iter().enumerate() {
            let attention = &of_layer.attention;
            let feed_forward = &of_layer.feed_forward;
            let first = ops.len();
            let qkv = [&attention.query, &attention.key, &attention.value];
            ops.push(project(Projection::Qkv, Some(&attention.norm), &qkv));
            if let Some(rope) = &attention.rope {
                let index = ropes.iter().position(|other| other == rope).unwrap_or(ropes.len());
                if index == ropes.len() {
                    ropes.push(rope.clone());
                }
                ops.push(Op::RopeAppend { layer, rope: index });
            }
            ops.push(Op::Attend { layer });
            ops.push(project(Projection::Output, None, &[&attention.output]));
            let gate_up = [&feed_forward.gate, &feed_forward.up];
            ops.push(project(Projection::GateUp, Some(&feed_forward.norm), &gate_up));
            ops.push(project(Projection::Down, None, &[&feed_forward.down]));
            layers.push(first..ops.len());
        }
        let head = Linear { weight: spec.head.clone(), bias: None };
        ops.push(project(Projection::Head, Some(&spec.norm), &[&head]));
        Ok(Self { spec, ropes, ops, layers })
    }

    /// Every step, the head the last.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Where the head stands among them.
    pub fn head(&self) -> usize {
        self.ops.len() - 1
    }

    /// The steps before the head.
    pub fn body(&self) -> Range<usize> {
        0..self.head()
    }

    /// The embedding and the first `count` layers.
    pub fn first_layers(&self, count: usize) -> Range<usize> {
        0..self.layers[..count].last().map_or(1, |layer| layer.end)
    }

    /// The steps of each layer.
    pub fn layers(&self) -> &[Range<usize>] {
        &self.layers
    }
}

fn project(projection: Projection, norm: Option<&Norm>, linears: &[&Linear]) -> Op {
    let (prologue, epilogue) = projection.ends();
    let weights = linears.iter().map(|linear| linear.weight.clone()).collect();
    Op::Project(Project { projection, prologue, norm: norm.cloned(), weights, epilogue })
}

/// A [`Spec`] can say more than the steps do: the rest is refused, not passed over in silence.
fn check_supported(file: &str, spec: &Spec) -> Result<()> {
    let refused = |what: &str| {
        let cause = format!("its layers have {what}, which this engine does not compute");
        Err(Error::Unsupported { file: file.to_owned(), cause })
    };
    if spec.embedding_scale != 1.0 || spec.logit_scale != 1.0 {
        return refused("a scale of the embedding or of the logits");
    }
    for layer in &spec.layers {
        let attention = &layer.attention;
        let feed_forward = &layer.feed_forward;
        let linears = [&attention.query, &attention.key, &attention.value, &attention.output];
        let linears = linears.into_iter().chain([&feed_forward.gate, &feed_forward.up, &feed_forward.down]);
        if linears.into_iter().any(|linear| linear.bias.is_some()) {
            return refused("biases");
        }
        if attention.head_norms.is_some() {
            return refused("norms of queries and keys");
        }
        if attention.post_norm.is_some() || feed_forward.post_norm.is_some() {
            return refused("norms after attention or the feed-forward network");
        }
        if attention.window.is_some() {
            return refused("a window of attention");
        }
        if attention.rope.as_ref().is_none_or(|rope| rope.pairs != Pairs::Neighbours) {
            return refused("positions that are not rotated in neighbouring pairs");
        }
        if attention.score_scale != 1.0 / (spec.head_dim as f32).sqrt() {
            return refused("a scale of attention's scores of their own");
        }
        if feed_forward.activation != Activation::Silu {
            return refused("another activation than SiLU");
        }
        if layer.residual_scale != 1.0 {
            return refused("a scale of the residual stream");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use candle_core::quantized::GgmlDType;

    use super::*;
    use crate::testing;

    fn spec() -> Spec {
        let file = Cursor::new(testing::file(GgmlDType::Q4_0));
        Plan::of(&Gguf::open("tiny.gguf", file).unwrap()).unwrap().spec
    }

    #[test]
    fn a_layer_takes_six_steps_between_embedding_and_head() {
        let plan = Plan::new("tiny.gguf", spec()).unwrap();
        let kinds: Vec<String> = plan.ops().iter().map(|op| op.kind().to_string()).collect();
        let layer = [
            "norm + QKV",
            "rope + KV append",
            "attention",
            "output + residual",
            "norm + gate·up",
            "down + residual",
        ];
        let want = [&["embed"][..], &layer, &layer, &["norm + head"]].concat();
        assert_eq!(kinds, want);
        assert_eq!((plan.ropes.len(), plan.first_layers(1), plan.body()), (1, 0..7, 0..13));
        assert!(plan.spec.tied());
    }

    #[test]
    fn layers_with_different_ropes_have_a_rotation_each() {
        let mut spec = spec();
        spec.layers[1].attention.rope.as_mut().unwrap().base = 500_000.0;
        let plan = Plan::new("tiny.gguf", spec).unwrap();
        assert_eq!(plan.ropes.len(), 2);
        assert_eq!(plan.ops()[plan.layers()[1].start + 1], Op::RopeAppend { layer: 1, rope: 1 });
    }

    #[test]
    fn a_slice_of_a_step_is_the_same_rows_of_its_tensor() {
        let plan = Plan::new("tiny.gguf", spec()).unwrap();
        let head = plan.ops()[plan.head()].slice(64..128).slice(3..5);
        assert_eq!(head.weights()[0].rows, 67..69);
        assert_eq!(head.weights()[0].shape, (testing::VOCABULARY, testing::WIDTH));
    }

    /// A way to change a spec, and a word of the refusal.
    type Change = (fn(&mut Spec), &'static str);

    #[test]
    fn what_no_step_does_is_refused_by_name() {
        let changes: [Change; 12] = [
            (|s| s.embedding_scale = 2.0, "embedding"),
            (|s| s.logit_scale = 2.0, "logits"),
            (|s| s.layers[1].attention.key.bias = Some("b".into()), "biases"),
            (|s| s.layers[1].feed_forward.down.bias = Some("b".into()), "biases"),
            (
                |s| s.layers[1].attention.head_norms = Some((s.norm.clone(), s.norm.clone())),
                "queries and keys",
            ),
            (|s| s.layers[1].attention.post_norm = Some(s.norm.clone()), "after attention"),
            (|s| s.layers[1].attention.window = Some(512), "window"),
            (|s| s.layers[1].attention.rope = None, "not rotated"),
            (|s| s.layers[1].attention.rope.as_mut().unwrap().pairs = Pairs::Halves, "neighbouring pairs"),
            (|s| s.layers[1].attention.score_scale = 1.0, "scores"),
            (|s| s.layers[1].feed_forward.activation = Activation::GeluTanh, "SiLU"),
            (|s| s.layers[1].residual_scale = 0.5, "residual"),
        ];
        for (change, word) in changes {
            let mut spec = spec();
            change(&mut spec);
            let message = Plan::new("tiny.gguf", spec).unwrap_err().to_string();
            assert!(message.contains("tiny.gguf") && message.contains(word), "{message}");
        }
    }
}
