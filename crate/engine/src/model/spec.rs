//! A model as data: which tensors a layer has, and what is computed with them. `arch/` makes a [`Spec`] of a file's
//! metadata; `plan.rs` makes the order of computation of it.

use std::ops::Range;

/// A whole model.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Architecture name in the metadata, e.g. `llama`.
    pub architecture: String,
    /// Width of the residual stream.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Key-value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head, a multiple of 8: attention's kernels take as many columns at a time.
    pub head_dim: usize,
    /// Width of the feed-forward network.
    pub ffn: usize,
    /// Entries of the vocabulary.
    pub vocabulary: usize,
    /// Positions the model was trained on.
    pub context: usize,
    /// (vocabulary, width), looked up by token.
    pub embedding: Rows,
    /// Factor of the looked-up rows.
    pub embedding_scale: f32,
    /// The layers in order.
    pub layers: Vec<Layer>,
    /// Norm of the residual stream before the head.
    pub norm: Norm,
    /// (vocabulary, width), to logits. Tied to the embedding where both name one tensor.
    pub head: Rows,
    /// Factor of the logits.
    pub logit_scale: f32,
}

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Attention.
    pub attention: Attention,
    /// The feed-forward network.
    pub feed_forward: FeedForward,
    /// Factor of both contributions to the residual stream.
    pub residual_scale: f32,
}

/// Attention of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// Norm of the residual stream before the projections.
    pub norm: Norm,
    /// (query width, width).
    pub query: Linear,
    /// (key-value width, width).
    pub key: Linear,
    /// (key-value width, width).
    pub value: Linear,
    /// Norms of each head of the queries and of the keys, before rotation.
    pub head_norms: Option<(Norm, Norm)>,
    /// Rotation of queries and keys by position; `None` where there is none.
    pub rope: Option<Rope>,
    /// Factor of the scores, 1/√`head_dim` in most models.
    pub score_scale: f32,
    /// Positions back that are looked at; `None` where all are.
    pub window: Option<usize>,
    /// (width, query width).
    pub output: Linear,
    /// Norm of what is added to the residual stream.
    pub post_norm: Option<Norm>,
}

/// The feed-forward network of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedForward {
    /// Norm of the residual stream before the projections.
    pub norm: Norm,
    /// (ffn, width).
    pub gate: Linear,
    /// (ffn, width).
    pub up: Linear,
    /// Activation of the gate before it multiplies `up`.
    pub activation: Activation,
    /// (width, ffn).
    pub down: Linear,
    /// Norm of what is added to the residual stream.
    pub post_norm: Option<Norm>,
}

/// RMS norm: `x / √(mean(x²) + eps) · weight`.
#[derive(Clone, Debug, PartialEq)]
pub struct Norm {
    /// Tensor of the weights, one a column.
    pub tensor: String,
    /// Added to the mean square.
    pub eps: f32,
}

/// A projection: `y = W·x + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// The matrix.
    pub weight: Rows,
    /// Tensor of the bias, one a row.
    pub bias: Option<String>,
}

/// Rows of a matrix in the file: a whole tensor, or a slice of one that holds several matrices.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Name of the tensor.
    pub tensor: String,
    /// (rows, columns) of the whole tensor.
    pub shape: (usize, usize),
    /// The rows of it that are meant.
    pub rows: Range<usize>,
    /// Heads whose rows are handed out in another order than the file's.
    pub halves: Option<Halves>,
}

/// Heads that the file stores for [`Pairs::Halves`]: of the first `dims` rows of each, i and i + dims / 2 are a pair.
/// Loaded, they stand side by side, at 2i and 2i + 1: a model that rotates halves becomes one that rotates neighbours.
/// Queries and keys change in the same way, so their products do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halves {
    /// Rows of a head; the tensor is whole heads.
    pub head_dim: usize,
    /// Of these, how many are in pairs, even.
    pub dims: usize,
}

impl Halves {
    /// The file's row of what is handed out as row `row`, both counted from the tensor's first.
    pub fn stored(self, row: usize) -> usize {
        let place = row % self.head_dim;
        if place >= self.dims { row } else { row - place + place / 2 + place % 2 * (self.dims / 2) }
    }
}

impl Rows {
    /// All rows of a tensor (rows, cols).
    pub fn all(tensor: impl Into<String>, rows: usize, cols: usize) -> Self {
        Self { tensor: tensor.into(), shape: (rows, cols), rows: 0..rows, halves: None }
    }

    /// Columns of every row.
    pub fn cols(&self) -> usize {
        self.shape.1
    }

    /// The same tensor's rows `rows`, counted from the first of these.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let start = self.rows.start + rows.start;
        Self { rows: start..start + rows.len(), ..self.clone() }
    }
}

/// Rotary positions: each pair of columns is rotated by `position / (base^(2i / dims) · factor)`, which `scaling`
/// changes for long contexts.
#[derive(Clone, Debug, PartialEq)]
pub struct Rope {
    /// Which columns make a pair.
    pub pairs: Pairs,
    /// Base of the angles.
    pub base: f32,
    /// Leading columns of a head that are rotated, even.
    pub dims: usize,
    /// How angles shrink beyond the context of the first training.
    pub scaling: Scaling,
    /// Factor of the cosines and sines, 1 in most models.
    pub magnitude: f32,
    /// Tensor of the factors, (dims / 2,).
    pub factors: Option<String>,
}

/// A rotation made for a longer context than the model was first trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scaling {
    /// All angles are divided by this; 1 leaves them as they are.
    Linear(f32),
    /// Slow pairs are divided, fast ones are not (YaRN, <https://arxiv.org/abs/2309.00071>, section 3.2).
    Yarn {
        /// The divisor of the slowest pairs.
        factor: f32,
        /// Positions of the first training.
        original_context: usize,
        /// Share of their own angles that fast pairs keep, 1 in all of it.
        extrapolation: f32,
        /// Turns within the original context from which on a pair is fast.
        fast: f32,
        /// Turns within it up to which a pair is slow.
        slow: f32,
    },
}

/// The columns of a head that are rotated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// (2i, 2i + 1).
    Neighbours,
    /// (i, i + dims / 2).
    Halves,
}

/// Activation function of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x / (1 + e^−x)`.
    Silu,
    /// GELU by its tanh approximation.
    GeluTanh,
}

impl Spec {
    /// Width of all queries of a token.
    pub fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Width of all keys (or values) of a token.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Whether the head is the embedding's matrix.
    pub fn tied(&self) -> bool {
        self.head == self.embedding
    }

    /// Bytes of the keys and values of `positions`, two each. The processor keeps a scale beside every head's, a
    /// thirty-second of it at a width of 64.
    pub fn kv_bytes(&self, positions: usize) -> u64 {
        // In 64 bits throughout: a hostile header must not wrap around where addresses have 32.
        [self.layers.len(), self.kv_heads, self.head_dim, positions, 2 * size_of::<u16>()]
            .into_iter()
            .fold(1, |bytes: u64, factor| bytes.saturating_mul(factor as u64))
    }
}
