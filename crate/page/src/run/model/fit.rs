//! Whether a model fits on this device, and how fast it would be, worked out before it is loaded.

use protocol::{ADDRESSABLE, Needs};

use crate::shared::format;

/// Browsers that say how much memory a device has stop at 8 GB: below that the number is a size, not a floor.
const CEILING_GB: f64 = 8.0;

/// Whether a model fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fit {
    /// With the whole of the context asked for.
    Fits,
    /// With a context of at most so many positions.
    Shorter(u32),
    /// Not with the shortest context there is to choose.
    TooBig,
}

/// Whether a model fits with a context of so many positions; `shortest` is the least that can be chosen.
pub fn fit(needs: Needs, context: u32, shortest: u32, memory_gb: Option<f64>) -> Fit {
    let device = memory_gb.filter(|gb| *gb < CEILING_GB).map_or(u64::MAX, |gb| (gb * 1e9) as u64);
    let limit = ADDRESSABLE.min(device);
    if needs.memory(context) <= limit {
        return Fit::Fits;
    }
    let room = limit.saturating_sub(needs.memory(1).saturating_sub(needs.kv_bytes_per_token));
    match u32::try_from(room / needs.kv_bytes_per_token.max(1)).unwrap_or(u32::MAX) {
        positions if positions < shortest => Fit::TooBig,
        positions => Fit::Shorter(positions),
    }
}

/// Memory and fit, half a sentence.
pub fn words(needs: Needs, context: u32, shortest: u32, memory_gb: Option<f64>) -> String {
    let memory = format::bytes(needs.memory(context) as f64);
    match fit(needs, context, shortest, memory_gb) {
        Fit::Fits => format!("about {memory} of memory, fits here"),
        Fit::Shorter(positions) => {
            let positions = format::count(f64::from(positions));
            format!("about {memory} of memory, too much here: a context of {positions} tokens would fit")
        }
        Fit::TooBig => format!("about {memory} of memory, more than a tab can use here"),
    }
}

/// Decode speed as this device measured it in its last answer. Every token reads all weights once, so that weights times
/// speed is the bandwidth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Bytes of the model's weights.
    pub weights: u64,
    /// Tokens a second, measured.
    pub tokens_per_s: f64,
}

/// Gaps between tokens that a speed needs before anything is predicted from it.
const LEAST_TOKENS: u32 = 8;

impl Speed {
    /// Of an answer with so many tokens whose gaps took so long, ms.
    pub fn measured(weights: u64, tokens: u32, decode_ms: f64) -> Option<Self> {
        let gaps = tokens.saturating_sub(1);
        let enough = gaps >= LEAST_TOKENS && decode_ms > 0.0 && weights > 0;
        enough.then(|| Self { weights, tokens_per_s: f64::from(gaps) * 1e3 / decode_ms })
    }

    /// Tokens a second that a model of so many bytes would be decoded with.
    pub fn predicts(self, weights: u64) -> Option<f64> {
        (weights > 0).then(|| self.tokens_per_s * self.weights as f64 / weights as f64)
    }
}

/// How far a prediction was off, a sentence. Both in tokens a second.
pub fn error(predicted: f64, measured: f64) -> String {
    let off = (predicted / measured - 1.0) * 100.0;
    let sign = if off < 0.0 { "−" } else { "+" };
    format!(
        "Predicted {} tok/s, measured {}: the prediction was off by {sign}{} %.",
        format::decimal(predicted, 1),
        format::decimal(measured, 1),
        format::decimal(off.abs(), 0)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;

    #[test]
    fn a_context_is_lowered_until_the_model_fits() {
        let needs = Needs { weights: 3 * GB, kv_bytes_per_token: 1_000_000, context: 100_000 };
        assert_eq!(fit(needs, 512, 512, None), Fit::Fits);
        let Fit::Shorter(positions) = fit(needs, 8_192, 512, None) else { panic!("it does not fit") };
        assert_eq!(fit(needs, positions, 512, None), Fit::Fits);
        assert_ne!(fit(needs, positions + 1, 512, None), Fit::Fits);
        // The browser's 8 is a floor, its 2 is a size.
        assert_eq!(fit(needs, 512, 512, Some(8.0)), Fit::Fits);
        assert_eq!(fit(needs, 512, 512, Some(2.0)), Fit::TooBig);
        assert_eq!(fit(Needs { weights: 5 * GB, ..needs }, 512, 512, None), Fit::TooBig);
    }

    #[test]
    fn half_the_weights_are_predicted_twice_the_speed() {
        let speed = Speed::measured(100, 11, 100.0).unwrap();
        assert_eq!(speed.tokens_per_s, 100.0);
        assert_eq!(speed.predicts(50), Some(200.0));
        assert_eq!(speed.predicts(0), None);
        assert_eq!(Speed::measured(100, 5, 100.0), None);
        assert_eq!(Speed::measured(100, 50, 0.0), None);
        assert!(error(110.0, 100.0).contains("+10 %") && error(90.0, 100.0).contains("−10 %"));
    }
}
