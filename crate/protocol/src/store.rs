//! Models kept on this device, and what a file says of itself before it runs.

use serde::{Deserialize, Serialize};

/// Bytes that a 32-bit module can address.
pub const ADDRESSABLE: u64 = 1 << 32;

/// Bytes besides weights and cache: tokenizer, buffers, stack. Measured 30 MB with a vocabulary of 49,152.
pub const BESIDES: u64 = 64 << 20;

/// Fewest positions that a context is lowered to where memory is short.
pub const SHORTEST: u32 = 512;

/// Browsers that say how much memory a device has stop at 8 GB: below that the number is a size, not a floor.
const CEILING_GB: f64 = 8.0;

/// Bytes that a load may take on a device with so much memory, GB, where the browser says how much.
pub fn memory_limit(device_gb: Option<f64>) -> u64 {
    let device = device_gb.filter(|gb| *gb < CEILING_GB).map_or(u64::MAX, |gb| (gb * 1e9) as u64);
    ADDRESSABLE.min(device)
}

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

/// The numbers that a load's memory and a token's time follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Bytes of all weights, as the processor holds them.
    pub weights: u64,
    /// Bytes of keys and values that a token takes in the cache.
    pub kv_bytes_per_token: u64,
    /// Positions that the model was trained on.
    pub context: u32,
    /// The work of a token; none in what an earlier version noted.
    #[serde(default)]
    pub work: Option<Work>,
}

/// A token's way through the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Bytes of weights that a decoded token reads, as the processor holds them.
    pub decode_bytes: u64,
    /// Products with weights that a token of the prompt takes; the head is for the last one alone.
    pub prompt_products: u64,
}

/// Whether a model fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// With the whole of the context asked for.
    Fits,
    /// With a context of at most so many positions.
    Lowered(u32),
    /// Not with the shortest context that one is lowered to.
    TooBig,
}

/// A context that was lowered because memory is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowered {
    /// Positions that were asked for.
    pub asked: u32,
    /// Bytes that they would need, with all else.
    pub need: u64,
    /// Bytes that there are.
    pub limit: u64,
}

impl Needs {
    /// Bytes of weights, cache and the rest with a context of so many positions.
    pub fn memory(&self, context: u32) -> u64 {
        let positions = u64::from(context.clamp(1, self.context.max(1)));
        let cache = self.kv_bytes_per_token.saturating_mul(positions);
        self.weights.saturating_add(cache).saturating_add(BESIDES)
    }

    /// Whether it fits into `limit` bytes with a context of so many positions.
    pub fn fit(&self, context: u32, limit: u64) -> Fit {
        if self.memory(context) <= limit {
            return Fit::Fits;
        }
        let room = limit.saturating_sub(self.weights.saturating_add(BESIDES));
        match u32::try_from(room / self.kv_bytes_per_token.max(1)).unwrap_or(u32::MAX) {
            positions if positions < SHORTEST.min(context) => Fit::TooBig,
            positions => Fit::Lowered(positions),
        }
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
    /// The files of a model that comes in several, which lie one behind the other; none of a whole one.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// Where it came from.
    pub origin: Origin,
    /// When it was loaded last, ms since the Unix epoch.
    pub used_ms: Option<f64>,
    /// The memory it takes, once it was loaded.
    pub needs: Option<Needs>,
}

/// One of the files that a model comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// File name.
    pub file: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
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
        let needs = Needs { weights: 1_000, kv_bytes_per_token: 10, context: 100, work: None };
        assert_eq!(needs.memory(50), 1_500 + BESIDES);
        // A model gets no more positions than it was trained on.
        assert_eq!(needs.memory(1_000), 2_000 + BESIDES);
        assert_eq!(Needs { weights: u64::MAX, ..needs }.memory(1), u64::MAX);
    }

    #[test]
    fn a_context_is_lowered_until_the_model_fits() {
        const GB: u64 = 1_000_000_000;
        let needs = Needs { weights: 3 * GB, kv_bytes_per_token: 1_000_000, context: 100_000, work: None };
        let limit = memory_limit(None);
        assert_eq!(needs.fit(SHORTEST, limit), Fit::Fits);
        let Fit::Lowered(positions) = needs.fit(8_192, limit) else { panic!("it is not lowered") };
        assert_eq!(needs.fit(positions, limit), Fit::Fits);
        assert_ne!(needs.fit(positions + 1, limit), Fit::Fits);
        // The browser's 8 is a floor, its 2 is a size.
        assert_eq!(needs.fit(SHORTEST, memory_limit(Some(8.0))), Fit::Fits);
        assert_eq!(needs.fit(SHORTEST, memory_limit(Some(2.0))), Fit::TooBig);
        assert_eq!(Needs { weights: 5 * GB, ..needs }.fit(SHORTEST, limit), Fit::TooBig);
        assert_eq!(Needs { weights: u64::MAX, ..needs }.fit(1, limit), Fit::TooBig);
        // A model of a few positions is too big where not even these fit.
        assert_eq!(needs.fit(8, 3 * GB), Fit::TooBig);
    }
}
