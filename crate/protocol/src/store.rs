//! Models kept on this device, and what a file says of itself before it runs.

use serde::{Deserialize, Serialize};

/// Bytes that a 32-bit module can address.
pub const ADDRESSABLE: u64 = 1 << 32;

/// Bytes besides weights and cache: tokenizer, buffers, stack. Measured 30 MB with a vocabulary of 49,152.
pub const BESIDES: u64 = 64 << 20;

/// Where a stored model came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// This site's catalogue.
    Site {
        /// Address on this origin.
        url: String,
    },
    /// A file that the visitor chose and asked to keep.
    File,
}

/// The numbers that the memory of a load follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Bytes of all tensors.
    pub weights: u64,
    /// Bytes of keys and values that a token takes in the cache.
    pub kv_bytes_per_token: u64,
    /// Positions that the model was trained on.
    pub context: u32,
}

impl Needs {
    /// Bytes of weights, cache and the rest with a context of so many positions.
    pub fn memory(&self, context: u32) -> u64 {
        let positions = u64::from(context.clamp(1, self.context.max(1)));
        let cache = self.kv_bytes_per_token.saturating_mul(positions);
        self.weights.saturating_add(cache).saturating_add(BESIDES)
    }
}

/// A model file in this browser's storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Name in storage, by which requests name it.
    pub id: String,
    /// File name to show.
    pub file: String,
    /// Bytes that are here.
    pub bytes: u64,
    /// What is known of it beyond its bytes; an earlier version kept none.
    pub record: Option<Record>,
}

/// What is remembered of a stored model. Nothing is believed for it: size and hash are checked at every load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// File name.
    pub file: String,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// SHA-256 of the whole file, lower-case hex.
    pub sha256: String,
    /// Where it came from.
    pub origin: Origin,
    /// When it was loaded last, ms since the Unix epoch.
    pub used_ms: Option<f64>,
    /// The memory it takes, once it was loaded.
    pub needs: Option<Needs>,
}

/// Every stored model, and the room for them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Models {
    /// In the order of their names.
    pub models: Vec<Stored>,
    /// Bytes that this site uses and may use, where the browser tells.
    pub quota: Option<(u64, u64)>,
    /// Whether the browser promised not to clear them by itself.
    pub persisted: bool,
}

/// A file to look into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inspect {
    /// A stored model.
    Stored {
        /// Its name in storage.
        id: String,
    },
    /// A file the visitor picked, posted as the message's second element.
    File {
        /// Its name, for messages.
        file: String,
    },
}

/// What a model file says of itself, read from its header alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspected {
    /// File name.
    pub file: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// `general.license`, where the file states one.
    pub license: Option<String>,
    /// The chat template, where there is one; cut to [`LONGEST_TEMPLATE`] bytes.
    pub template: Option<String>,
    /// Keys of the header with their values as text, in the order of the keys; long ones are described.
    pub metadata: Vec<(String, String)>,
    /// Tensor types, the one with the most bytes first: name, tensors, bytes.
    pub types: Vec<(String, u32, u64)>,
    /// The memory it would take; `Err` is why it cannot be run, a sentence.
    pub needs: Result<Needs, String>,
}

/// Bytes of a chat template that an inspection shows.
pub const LONGEST_TEMPLATE: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_weights_cache_and_the_rest() {
        let needs = Needs { weights: 1_000, kv_bytes_per_token: 10, context: 100 };
        assert_eq!(needs.memory(50), 1_500 + BESIDES);
        // A model gets no more positions than it was trained on.
        assert_eq!(needs.memory(1_000), 2_000 + BESIDES);
        assert_eq!(Needs { weights: u64::MAX, ..needs }.memory(1), u64::MAX);
    }
}
