// The subject of a dispatch: one slot of an arena, chosen by a dynamic offset. A storage buffer, not a uniform one:
// Mesa's software driver compiles a kernel anew for every value that a loop takes from a uniform buffer.

// The model's hyper-parameters; not constants, so that kernels can be compiled before the model is known.
struct Model {
    // Width of the residual stream.
    width: u32,
    head_dim: u32,
    heads: u32,
    kv_heads: u32,
    // Positions of the cache.
    positions: u32,
    vocabulary: u32,
    // Added to the mean square in a norm.
    eps: f32,
    // Factor of the embedding's rows.
    embedding_scale: f32,
}

// How a token is chosen.
struct Choice {
    // Candidates that a draw keeps.
    top_k: u32,
    // Random number in [0, 1).
    draw: f32,
    // 1 / temperature.
    inverse_temperature: f32,
    top_p: f32,
    min_p: f32,
    // Divides positive and multiplies negative logits of seen tokens.
    penalty: f32,
}

struct Batch {
    // Position of the batch's first token.
    position: u32,
    // Tokens in the batch.
    tokens: u32,
    // Where the ids of the batch's tokens begin in `ids`.
    read: u32,
    // Where in `ids` a chosen token goes.
    write: u32,
    // Row of the batch that a matvec reads.
    row: u32,
    // Splits of the context, each with a partial sum of attention.
    splits: u32,
    choice: Choice,
    model: Model,
}

@group(0) @binding(0) var<storage, read> batch: Batch;
