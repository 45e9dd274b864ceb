//! Facts about a loaded model.

use std::io::{Read, Seek};

use protocol::ChatFormat;

use crate::error::Result;
use crate::gguf::Gguf;
use crate::model::Spec;

/// Facts about a model.
#[derive(Clone, Debug)]
pub struct Info {
    /// Name in the metadata, or the file's.
    pub name: String,
    /// Architecture.
    pub architecture: String,
    /// Weights, counted from the tensors' shapes.
    pub parameters: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Positions in the KV cache.
    pub context: usize,
    /// Bytes of the KV cache.
    pub kv_bytes: u64,
    /// Layers.
    pub layers: usize,
    /// Entries of the vocabulary.
    pub vocabulary: usize,
    /// Tensor types with the bytes each takes in the file, largest first.
    pub quantization: Vec<(String, u64)>,
    /// How conversations are put to it.
    pub chat: ChatFormat,
}

impl Info {
    pub(crate) fn new<R: Read + Seek>(
        gguf: &Gguf<R>,
        spec: &Spec,
        context: usize,
        chat: ChatFormat,
    ) -> Result<Self> {
        let elements = |shape: &[usize]| shape.iter().map(|d| *d as u64).product::<u64>();
        Ok(Self {
            name: gguf.metadata().opt_str("general.name")?.unwrap_or(gguf.file()).to_owned(),
            architecture: spec.architecture.clone(),
            parameters: gguf.tensors().iter().map(|t| elements(&t.shape)).sum(),
            file_bytes: gguf.file_bytes(),
            context,
            kv_bytes: spec.kv_bytes(context),
            layers: spec.layers.len(),
            vocabulary: spec.vocabulary,
            quantization: gguf.types().into_iter().map(|(name, _, bytes)| (name, bytes)).collect(),
            chat,
        })
    }
}
