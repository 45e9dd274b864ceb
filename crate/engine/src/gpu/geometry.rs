//! The values that Rust and WGSL share: sizes, codes and the words of parameters, each said here once.
//!
//! The constants stand in front of every module as WGSL text ([`wgsl`]); a test compares the parameters' layouts with
//! the structs of the shaders.

use crate::format::CODEBOOK;

macro_rules! shared {
    ($($(#[$doc:meta])* $name:ident = $value:expr;)+) => {
        $($(#[$doc])* pub(super) const $name: u32 = $value;)+

        /// Name and value of every constant that the shaders share.
        pub const CONSTANTS: &[(&str, u32)] = &[$((stringify!($name), $name)),+];
    };
}

shared! {
    /// Rows of a matrix that are interleaved: neighbouring invocations read neighbouring words.
    GROUP_ROWS = 8;
    /// Columns of a block of weights or activations.
    BLOCK = 32;
    /// vec4 that a block of activations takes as floats.
    BLOCK4 = BLOCK / 4;

    /// Packing of a block: nibbles, scale and minimum.
    PACKING_Q4 = 0;
    /// Nibbles and one more bit, scale and minimum.
    PACKING_Q5 = 1;
    /// Nibbles that index a codebook, scale.
    PACKING_IQ4 = 2;
    /// Signed bytes, scale.
    PACKING_Q8 = 3;
    /// The last of those that have one scale and one minimum a block.
    PACKING_SCALED = PACKING_Q8;
    /// Two bits, scale and minimum of 16 columns each.
    PACKING_Q2 = 4;
    /// Three bits, scale of 16 columns each.
    PACKING_Q3 = 5;
    /// Nibbles and two more bits, scale of 16 columns each.
    PACKING_Q6 = 6;
    /// Halves.
    PACKING_F16 = 7;
    /// Upper halves of floats.
    PACKING_BF16 = 8;
    /// Floats.
    PACKING_F32 = 9;

    /// Difference of a quant of three bits and its weight over the scale.
    Q3_CENTRE = 4;
    /// The same of six bits.
    Q6_CENTRE = 32;
    /// Signed bytes that nibbles stand for, four of sixteen.
    CODEBOOK_0 = codebook(0);
    /// The next four.
    CODEBOOK_1 = codebook(1);
    /// The next four.
    CODEBOOK_2 = codebook(2);
    /// The last four.
    CODEBOOK_3 = codebook(3);

    /// Prologue: the input as it is.
    PLAIN = 0;
    /// RMS norm.
    NORM = 1;
    /// Attention's split-K partials are merged.
    MERGE = 2;

    /// Epilogue: the product as it is.
    STORE = 0;
    /// Added to the output.
    ADD = 1;
    /// SiLU of the gate times up; groups of gate rows alternate with groups of the up rows that belong to them.
    GATE_SILU = 2;
    /// The same with GELU by its tanh approximation.
    GATE_GELU = 3;
    /// Times SiLU of the output, which holds the gate's product.
    TIMES_SILU = 4;
    /// The same with GELU.
    TIMES_GELU = 5;

    /// Invocations of a workgroup, but for the kernels below.
    WORKGROUP = 64;
    /// Most invocations of a matvec's workgroup.
    MATVEC_WORKGROUP = 256;
    /// Blocks that a matvec stages at once, one an invocation.
    MATVEC_BLOCKS = 32;
    /// Groups of rows of a matmul's workgroup.
    MATMUL_GROUPS = 8;
    /// Tokens of a matmul's workgroup.
    MATMUL_TOKENS = 16;
    /// Blocks that a matmul stages at once, one an invocation and token.
    MATMUL_BLOCKS = WORKGROUP / MATMUL_TOKENS;
    /// Invocations of the workgroup that sorts candidates.
    SORT_WORKGROUP = 256;

    /// Half of the cache that holds keys.
    KEYS = 0;
    /// Half that holds values.
    VALUES = 1;
    /// Elements of a key or value that attention reads at once; divides a head's width.
    HEAD_STEP = 8;
    /// Widest head.
    MAX_HEAD_DIM = 256;
    /// Positions that one split of attention covers.
    SPLIT = 256;
    /// Floats behind the sums of a split-K partial: its largest score, its sum of weights, two unused.
    PARTIAL_TAIL = 4;

    /// Logits of the vocabulary that one workgroup looks through.
    CHUNK = 1024;
    /// Candidates that a chunk leaves for a draw, and the most that a draw keeps.
    CANDIDATES = 64;
}

/// Entries 4·`index` to 4·`index` + 3 of the codebook, a byte each.
const fn codebook(index: usize) -> u32 {
    let entries = &CODEBOOK;
    let at = index * 4;
    u32::from_le_bytes([
        entries[at] as u8,
        entries[at + 1] as u8,
        entries[at + 2] as u8,
        entries[at + 3] as u8,
    ])
}

const _: () = assert!(CANDIDATES <= SORT_WORKGROUP && CANDIDATES < CHUNK && CHUNK.is_power_of_two());

/// The constants as WGSL.
pub(super) fn wgsl() -> String {
    CONSTANTS.iter().map(|(name, value)| format!("const {name} = {value}u;\n")).collect()
}

/// Parameters of a kernel, written as little-endian words.
pub(super) trait Words {
    /// Appends the words.
    fn put(&self, to: &mut Vec<u8>);
}

impl Words for u32 {
    fn put(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.to_le_bytes());
    }
}

impl Words for f32 {
    fn put(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.to_le_bytes());
    }
}

/// Name, size in bytes, and (name, offset in bytes) of each field of a struct that Rust writes and a shader reads.
pub type Layout = (&'static str, usize, &'static [(&'static str, usize)]);

macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default)]
            #[repr(C)]
            pub(super) struct $name { $($(#[$field_doc])* pub(super) $field: $kind),+ }

            impl Words for $name {
                fn put(&self, to: &mut Vec<u8>) {
                    $(self.$field.put(to);)+
                }
            }
        )+

        /// Layout of every struct of parameters; the names are those of the shaders.
        pub const LAYOUTS: &[Layout] = &[$((
            stringify!($name),
            size_of::<$name>(),
            &[$((stringify!($field), std::mem::offset_of!($name, $field))),+],
        )),+];
    };
}

parameters! {
    /// The model's hyper-parameters; not constants, so that kernels can be compiled before the model is known.
    Model {
        /// Width of the residual stream.
        width: u32,
        head_dim: u32,
        heads: u32,
        kv_heads: u32,
        /// Positions of the cache.
        positions: u32,
        vocabulary: u32,
        /// Added to the mean square in a norm.
        eps: f32,
        /// Factor of the embedding's rows.
        embedding_scale: f32,
    }

    /// How a token is chosen on the device.
    Choice {
        /// Candidates that a draw keeps.
        top_k: u32,
        /// Random number in [0, 1).
        draw: f32,
        /// 1 / temperature.
        inverse_temperature: f32,
        top_p: f32,
        min_p: f32,
        /// Divides positive and multiplies negative logits of seen tokens.
        penalty: f32,
    }

    /// The subject of a dispatch.
    Batch {
        /// Position of the batch's first token.
        position: u32,
        /// Tokens in the batch.
        tokens: u32,
        /// Where the ids of the batch's tokens begin.
        read: u32,
        /// Where a chosen token's id goes.
        write: u32,
        /// Row of the batch that a matvec reads.
        row: u32,
        /// Splits of the context, each with a partial sum of attention.
        splits: u32,
        choice: Choice,
        model: Model,
    }

    /// What happens to queries and keys of a layer.
    Heads {
        /// Leading part of a head that is rotated; 0 where none is.
        rope_dim: u32,
        /// Factor of the queries.
        query_scale: f32,
    }

    /// Size and place of a matrix, or of a stretch of its rows.
    Shape {
        /// Rows of the output that this part computes; the last group may be padded.
        rows: u32,
        /// Blocks of columns.
        blocks: u32,
        /// Where the first of them goes in an output row.
        first: u32,
        /// Length of an output row.
        stride: u32,
        /// Factor of the product.
        scale: f32,
    }
}
