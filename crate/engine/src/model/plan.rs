//! The order in which a model is computed: the only place that knows one. Backends run [`Op`]s; trace, self-check,
//! profile, streamed pass and estimate walk the same list.

use std::collections::HashSet;
use std::fmt;
use std::io::{Read, Seek};
use std::ops::Range;

use super::spec::{Activation, Attention, Halves, Layer, Linear, Norm, Pairs, Rope, Rows, Spec};
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
    /// Rows of a table by token id become the residual stream.
    Embed(Embed),
    /// Weights times activations.
    Project(Project),
    /// Queries, keys and values are made ready; keys and values join the cache.
    RopeAppend(Box<RopeAppend>),
    /// Queries against the cache, causal.
    Attend {
        /// Whose cache.
        layer: usize,
        /// Positions that are looked at, the token's own among them; all where there is none.
        window: Option<usize>,
    },
    /// A product joins the residual stream, normed.
    AddNormed(AddNormed),
}

/// The beginning: `residual = table[id] · scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Embed {
    /// (vocabulary, width).
    pub table: Rows,
    /// Factor of the rows.
    pub scale: f32,
}

/// Everything between the product of queries, keys and values and attention, in this order: biases are added, each head
/// of queries and keys is normed, both are rotated by position, queries are scaled, keys and values join the cache.
#[derive(Clone, Debug, PartialEq)]
pub struct RopeAppend {
    /// Whose cache.
    pub layer: usize,
    /// The rotation, one of `Plan::ropes`, of neighbouring pairs.
    pub rope: Option<usize>,
    /// Of queries (query width,), keys and values (key-value width,).
    pub biases: Option<[Vector; 3]>,
    /// RMS norms of each head.
    pub head_norms: Option<HeadNorms>,
    /// Factor of the queries, which scales the scores.
    pub query_scale: f32,
}

/// RMS norms of each head of the queries and of the keys.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadNorms {
    /// Weights, (`head_dim`,).
    pub query: Vector,
    /// Weights, (`head_dim`,).
    pub key: Vector,
    /// Added to both mean squares.
    pub eps: f32,
}

/// A one-dimensional tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// Its name.
    pub tensor: String,
    /// Its elements.
    pub len: usize,
    /// Elements that are handed out in another order, as the rows that they belong to.
    pub halves: Option<Halves>,
}

/// `residual += rms_norm(product)`, of the product that the projection before it stored.
#[derive(Clone, Debug, PartialEq)]
pub struct AddNormed {
    /// That projection.
    pub after: Projection,
    /// The norm.
    pub norm: Norm,
    /// Of the residual stream.
    pub width: usize,
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
    /// Factor of the product, before the epilogue.
    pub scale: f32,
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
    /// `activation(gate) · up` of two matrices' products.
    Gate(Activation),
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
    /// [`Op::AddNormed`] after [`Projection::Output`].
    AddNormedAttention,
    /// [`Op::AddNormed`] after [`Projection::Down`].
    AddNormedFeedForward,
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
    /// A product that is yet to be normed and added, (tokens, width).
    Product,
    /// (rows, vocabulary).
    Logits,
}

impl Projection {
    /// All of them, in the order of a token's way.
    pub const ALL: [Self; 5] = [Self::Qkv, Self::Output, Self::GateUp, Self::Down, Self::Head];

    /// The computations before and after the multiplication, as most models have them.
    pub fn ends(self) -> (Prologue, Epilogue) {
        match self {
            Self::Qkv | Self::Head => (Prologue::Norm, Epilogue::Store),
            Self::Output => (Prologue::MergeAttention, Epilogue::AddResidual),
            Self::GateUp => (Prologue::Norm, Epilogue::Gate(Activation::Silu)),
            Self::Down => (Prologue::Gated, Epilogue::AddResidual),
        }
    }
}

impl Vector {
    /// In the order of the file.
    fn plain(tensor: &str, len: usize) -> Self {
        Self { tensor: tensor.to_owned(), len, halves: None }
    }
}

impl Op {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Embed(_) => Kind::Embed,
            Self::Project(project) => Kind::Project(project.projection),
            Self::RopeAppend(_) => Kind::RopeAppend,
            Self::Attend { .. } => Kind::Attend,
            Self::AddNormed(AddNormed { after: Projection::Output, .. }) => Kind::AddNormedAttention,
            Self::AddNormed(_) => Kind::AddNormedFeedForward,
        }
    }

    /// The matrices it reads.
    pub fn weights(&self) -> &[Rows] {
        match self {
            Self::Embed(embed) => std::slice::from_ref(&embed.table),
            Self::Project(project) => &project.weights,
            Self::RopeAppend(_) | Self::Attend { .. } | Self::AddNormed(_) => &[],
        }
    }

    /// The norm of a whole row that it begins with.
    pub fn norm(&self) -> Option<&Norm> {
        match self {
            Self::Project(project) => project.norm.as_ref(),
            Self::AddNormed(add) => Some(&add.norm),
            Self::Embed(_) | Self::RopeAppend(_) | Self::Attend { .. } => None,
        }
    }

    /// The vectors it reads: the weights of its norm, or biases and then norms of heads.
    pub fn vectors(&self) -> Vec<Vector> {
        match self {
            Self::Project(Project { norm: Some(norm), weights, .. }) => {
                weights.first().map(|rows| Vector::plain(&norm.tensor, rows.cols())).into_iter().collect()
            }
            Self::AddNormed(add) => vec![Vector::plain(&add.norm.tensor, add.width)],
            Self::RopeAppend(step) => {
                let RopeAppend { biases, head_norms, .. } = step.as_ref();
                let norms = head_norms.iter().flat_map(|norms| [&norms.query, &norms.key]);
                biases.iter().flatten().chain(norms).cloned().collect()
            }
            Self::Project(_) | Self::Embed(_) | Self::Attend { .. } => Vec::new(),
        }
    }

    /// The activations that it leaves behind.
    pub fn output(&self) -> Activations {
        match self {
            Self::Embed(_) | Self::AddNormed(_) => Activations::Residual,
            Self::RopeAppend(_) => Activations::Queries,
            Self::Attend { .. } => Activations::Attended,
            Self::Project(project) => match (project.projection, project.epilogue) {
                (Projection::Qkv, _) => Activations::Qkv,
                (Projection::GateUp, _) => Activations::Gated,
                (Projection::Head, _) => Activations::Logits,
                (Projection::Output | Projection::Down, Epilogue::Store) => Activations::Product,
                (Projection::Output | Projection::Down, _) => Activations::Residual,
            },
        }
    }

    /// The same step with the rows `rows` alone of each of its matrices.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let mut op = self.clone();
        match &mut op {
            Self::Embed(embed) => embed.table = embed.table.slice(rows),
            Self::Project(project) => {
                project.weights.iter_mut().for_each(|weight| *weight = weight.slice(rows.clone()));
            }
            Self::RopeAppend(_) | Self::Attend { .. } | Self::AddNormed(_) => {}
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
            Self::AddNormedAttention => "norm of attention + residual",
            Self::AddNormedFeedForward => "norm of feed-forward + residual",
        })
    }
}

impl Plan {
    /// The steps of the model in this file, made for a context of `context` positions: some models rotate otherwise
    /// in a long one.
    ///
    /// # Errors
    /// An architecture without a file in `arch/`, a missing key, or a value outside what any real model has: the
    /// sentence names the key and the value. A key of the architecture, or a tensor, that nothing here makes use of.
    /// Also as [`Plan::new`].
    pub fn of<R: Read + Seek>(gguf: &Gguf<R>, context: usize) -> Result<Self> {
        let plan = Self::new(gguf.file(), super::arch::spec(gguf, context)?)?;
        plan.check_every_tensor_is_used(gguf)?;
        Ok(plan)
    }

    /// The steps of `spec`; `file` is the name that messages use.
    ///
    /// # Errors
    /// The model calls for something that no step does, which the sentence names.
    pub fn new(file: &str, spec: Spec) -> Result<Self> {
        check_supported(file, &spec)?;
        let mut ropes: Vec<Rope> = Vec::new();
        let mut ops = vec![Op::Embed(Embed { table: spec.embedding.clone(), scale: spec.embedding_scale })];
        let mut layers = Vec::with_capacity(spec.layers.len());
        for (layer, of_layer) in spec.layers.iter().enumerate() {
            let first = ops.len();
            let rope = of_layer.attention.rope.as_ref().map(|rope| {
                let known = ropes.iter().position(|other| other == rope);
                known.unwrap_or_else(|| {
                    ropes.push(rope.clone());
                    ropes.len() - 1
                })
            });
            attention(&spec, layer, of_layer, rope, &mut ops);
            feed_forward(&spec, of_layer, &mut ops);
            layers.push(first..ops.len());
        }
        let (norm, head) = (Some(&spec.norm), vec![spec.head.clone()]);
        ops.push(Op::Project(Project { scale: spec.logit_scale, ..project(Projection::Head, norm, head) }));
        Ok(Self { spec, ropes, ops, layers })
    }

    fn check_every_tensor_is_used<R: Read + Seek>(&self, gguf: &Gguf<R>) -> Result<()> {
        let mut used: HashSet<&str> = self.ropes.iter().filter_map(|rope| rope.factors.as_deref()).collect();
        // Of these two, the context decides.
        let pair = ["rope_factors_long.weight", "rope_factors_short.weight"];
        if pair.iter().any(|factors| used.contains(factors)) {
            used.extend(pair);
        }
        let vectors: Vec<Vector> = self.ops.iter().flat_map(Op::vectors).collect();
        used.extend(vectors.iter().map(|vector| vector.tensor.as_str()));
        used.extend(self.ops.iter().flat_map(Op::weights).map(|rows| rows.tensor.as_str()));
        match gguf.tensors().iter().find(|tensor| !used.contains(tensor.name.as_str())) {
            Some(tensor) => {
                let Self { spec: Spec { architecture, .. }, .. } = self;
                let cause = format!(
                    "tensor {} has no place in {architecture} as this engine computes it",
                    tensor.name
                );
                Err(Error::Unsupported { file: gguf.file().to_owned(), cause })
            }
            None => Ok(()),
        }
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

fn project(projection: Projection, norm: Option<&Norm>, weights: Vec<Rows>) -> Project {
    let (prologue, epilogue) = projection.ends();
    Project { projection, prologue, norm: norm.cloned(), weights, scale: 1.0, epilogue }
}

/// The steps of a layer's attention; `rope` is its place among the plan's.
fn attention(spec: &Spec, layer: usize, of_layer: &Layer, rope: Option<usize>, ops: &mut Vec<Op>) {
    let attention = &of_layer.attention;
    let halves = halves(spec, attention);
    let ordered = |linear: &Linear| Rows { halves, ..linear.weight.clone() };
    let weights = vec![ordered(&attention.query), ordered(&attention.key), attention.value.weight.clone()];
    ops.push(Op::Project(project(Projection::Qkv, Some(&attention.norm), weights)));
    let vector = |tensor: &str, len, halves| Vector { tensor: tensor.to_owned(), len, halves };
    let biases = match [&attention.query, &attention.key, &attention.value].map(|linear| &linear.bias) {
        [Some(query), Some(key), Some(value)] => Some([
            vector(query, spec.query_width(), halves),
            vector(key, spec.kv_width(), halves),
            vector(value, spec.kv_width(), None),
        ]),
        _ => None,
    };
    let head_norms = attention.head_norms.as_ref().map(|(query, key)| HeadNorms {
        query: vector(&query.tensor, spec.head_dim, halves),
        key: vector(&key.tensor, spec.head_dim, halves),
        eps: query.eps,
    });
    let query_scale = attention.score_scale;
    ops.push(Op::RopeAppend(Box::new(RopeAppend { layer, rope, biases, head_norms, query_scale })));
    ops.push(Op::Attend { layer, window: attention.window });
    let output = project(Projection::Output, None, vec![attention.output.weight.clone()]);
    add(spec, of_layer, output, attention.post_norm.as_ref(), ops);
}

/// The order of the heads' rows where halves rotate.
fn halves(spec: &Spec, attention: &Attention) -> Option<Halves> {
    let rope = attention.rope.as_ref().filter(|rope| rope.pairs == Pairs::Halves)?;
    Some(Halves { head_dim: spec.head_dim, dims: rope.dims })
}

fn feed_forward(spec: &Spec, of_layer: &Layer, ops: &mut Vec<Op>) {
    let feed_forward = &of_layer.feed_forward;
    let weights = vec![feed_forward.gate.weight.clone(), feed_forward.up.weight.clone()];
    let gate_up = project(Projection::GateUp, Some(&feed_forward.norm), weights);
    ops.push(Op::Project(Project { epilogue: Epilogue::Gate(feed_forward.activation), ..gate_up }));
    let down = project(Projection::Down, None, vec![feed_forward.down.weight.clone()]);
    add(spec, of_layer, down, feed_forward.post_norm.as_ref(), ops);
}

/// A product joins the residual stream, through a norm where there is one.
fn add(spec: &Spec, of_layer: &Layer, product: Project, post_norm: Option<&Norm>, ops: &mut Vec<Op>) {
    let after = product.projection;
    let Some(norm) = post_norm else {
        return ops.push(Op::Project(Project { scale: of_layer.residual_scale, ..product }));
    };
    ops.push(Op::Project(Project { epilogue: Epilogue::Store, ..product }));
    ops.push(Op::AddNormed(AddNormed { after, norm: norm.clone(), width: spec.width }));
}

/// A [`Spec`] can say more than the steps do: the rest is refused, not passed over in silence.
fn check_supported(file: &str, spec: &Spec) -> Result<()> {
    let refused = |what: &str| {
        let cause = format!("its layers have {what}, which this engine does not compute");
        Err(Error::Unsupported { file: file.to_owned(), cause })
    };
    for Layer { attention, feed_forward, residual_scale } in &spec.layers {
        let linears = [&attention.output, &feed_forward.gate, &feed_forward.up, &feed_forward.down];
        if let Some(bias) = linears.into_iter().find_map(|linear| linear.bias.as_ref()) {
            return refused(&format!("a bias {bias}"));
        }
        let biases = [&attention.query, &attention.key, &attention.value].map(|linear| linear.bias.is_some());
        if biases.contains(&true) && biases.contains(&false) {
            return refused("biases on some of queries, keys and values only");
        }
        if attention.head_norms.as_ref().is_some_and(|(query, key)| query.eps != key.eps) {
            return refused("norms of queries and keys of different epsilon");
        }
        if *residual_scale != 1.0 && (attention.post_norm.is_some() || feed_forward.post_norm.is_some()) {
            return refused("both a scale and a norm of what joins the residual stream");
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
        Plan::of(&Gguf::open("tiny.gguf", file).unwrap(), testing::CONTEXT).unwrap().spec
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
        let Op::RopeAppend(step) = &plan.ops()[plan.layers()[1].start + 1] else { panic!("it rotates") };
        assert_eq!((step.layer, step.rope), (1, Some(1)));
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
        let changes: [Change; 4] = [
            (|s| s.layers[1].attention.key.bias = Some("b".into()), "biases on some"),
            (
                |s| s.layers[1].feed_forward.down.bias = Some("blk.1.ffn_down.bias".into()),
                "blk.1.ffn_down.bias",
            ),
            (
                |s| {
                    let other = Norm { eps: 1.0, ..s.norm.clone() };
                    s.layers[1].attention.head_norms = Some((s.norm.clone(), other));
                },
                "epsilon",
            ),
            (
                |s| {
                    s.layers[1].attention.post_norm = Some(s.norm.clone());
                    s.layers[1].residual_scale = 0.5;
                },
                "both a scale and a norm",
            ),
        ];
        for (change, word) in changes {
            let mut spec = spec();
            change(&mut spec);
            let message = Plan::new("tiny.gguf", spec).unwrap_err().to_string();
            assert!(message.contains("tiny.gguf") && message.contains(word), "{message}");
        }
    }
}
