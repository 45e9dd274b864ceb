//! How fast a model would be on this device's processor, predicted before anything has run, and how far that was off.
//!
//! A decoded token reads all weights and its part of the cache, so it takes as long as these bytes take; a token of the
//! prompt is multiplied with all weights, so it takes as long as these products take.

use protocol::{Finished, Needs, Probed, Work};

use crate::shared::format;

/// Gaps between tokens, and tokens of a prompt, that a measured speed needs before a prediction is judged by it.
const LEAST: u32 = 8;

/// Speeds of a model, tokens/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speeds {
    /// Of an answer.
    pub decode: f64,
    /// Of reading a prompt.
    pub read: f64,
}

/// Speeds with so many positions in the cache; `None` where too little is known of the model.
pub fn predicted(pace: Probed, needs: Needs, positions: f64) -> Option<Speeds> {
    let Work { decode_bytes, prompt_products } = needs.work?;
    let bytes = decode_bytes as f64 + needs.kv_bytes_per_token as f64 * positions;
    let speeds =
        Speeds { decode: pace.bytes_per_s / bytes, read: pace.products_per_s / prompt_products as f64 };
    (speeds.decode.is_finite() && speeds.read.is_finite()).then_some(speeds)
}

/// Speeds of a model with an empty and with a full cache, half a sentence.
pub fn words(pace: Probed, needs: Needs, context: u32) -> Option<String> {
    let context = context.min(needs.context);
    let begun = predicted(pace, needs, 0.0)?;
    let full = predicted(pace, needs, f64::from(context))?;
    Some(format!(
        "about {} tok/s, {} once the context is full, and {} tok/s while reading",
        format::count(begun.decode),
        format::count(full.decode),
        format::count(begun.read)
    ))
}

/// What predictions are made of, a sentence's end.
pub fn basis(pace: Probed) -> String {
    format!(
        "{} GB of weights a second for one token and {} billion products a second for many, on {}",
        format::decimal(pace.bytes_per_s / 1e9, 1),
        format::decimal(pace.products_per_s / 1e9, 0),
        format::counted(pace.threads, "thread", "threads")
    )
}

/// Speeds of an answer on the processor, measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answered {
    /// Positions in the cache, at the middle of the answer.
    positions: f64,
    /// Tokens/s.
    decode: f64,
    /// Prompt tokens/s; none where the prompt was short.
    read: Option<f64>,
    /// Threads that computed.
    threads: u32,
}

impl Answered {
    /// Of an answer; `None` where it was too short to tell.
    pub fn of(finished: &Finished, threads: u32) -> Option<Self> {
        let gaps = finished.tokens.saturating_sub(1);
        let fresh = finished.prompt_tokens.saturating_sub(finished.reused_tokens);
        let rate = |count: u32, ms: f64| (count >= LEAST && ms > 0.0).then(|| f64::from(count) * 1e3 / ms);
        Some(Self {
            positions: f64::from(finished.prompt_tokens) + f64::from(finished.tokens) / 2.0,
            decode: rate(gaps, finished.decode_ms)?,
            read: rate(fresh, finished.prefill_ms),
            threads,
        })
    }

    /// How far a prediction was off, a sentence or two; `None` where it was made for another number of threads.
    pub fn error(&self, pace: Probed, needs: Needs) -> Option<String> {
        let speeds = predicted(pace, needs, self.positions).filter(|_| pace.threads == self.threads)?;
        let decode = off("The answer", speeds.decode, self.decode);
        let read = self.read.map(|measured| off("Reading", speeds.read, measured));
        Some([Some(decode), read].into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

fn off(of: &str, predicted: f64, measured: f64) -> String {
    let off = (predicted / measured - 1.0) * 100.0;
    format!(
        "{of}: predicted {} tok/s, measured {}, off by {}{} %.",
        format::decimal(predicted, 0),
        format::decimal(measured, 0),
        if off < 0.0 { "−" } else { "+" },
        format::decimal(off.abs(), 0)
    )
}

#[cfg(test)]
mod tests {
    use protocol::FinishReason;

    use super::*;

    const PACE: Probed = Probed { bytes_per_s: 1e10, products_per_s: 5e10, threads: 2 };
    const NEEDS: Needs = Needs {
        weights: 120_000_000,
        kv_bytes_per_token: 50_000,
        context: 2_000,
        work: Some(Work { decode_bytes: 100_000_000, prompt_products: 100_000_000 }),
    };

    fn finished(tokens: u32, reused_tokens: u32) -> Finished {
        Finished {
            id: 1,
            reason: FinishReason::EndOfTurn,
            text: String::new(),
            prompt_tokens: 990,
            reused_tokens,
            tokens,
            ttft_ms: None,
            prefill_ms: 2_475.0,
            decode_ms: 190.0,
            total_ms: 0.0,
            memory_bytes: 0,
        }
    }

    #[test]
    fn speed_is_bandwidth_over_what_a_token_reads_and_products_over_what_it_multiplies() {
        assert_eq!(predicted(PACE, NEEDS, 0.0), Some(Speeds { decode: 100.0, read: 500.0 }));
        // The cache of a full context is as much as the weights.
        assert_eq!(predicted(PACE, NEEDS, 2_000.0).unwrap().decode, 50.0);
        assert_eq!(
            words(PACE, NEEDS, 8_192).unwrap(),
            "about 100 tok/s, 50 once the context is full, and 500 tok/s while reading"
        );
        assert_eq!(predicted(PACE, Needs { work: None, ..NEEDS }, 0.0), None);
        let none = Work { decode_bytes: 0, prompt_products: 0 };
        assert_eq!(predicted(PACE, Needs { work: Some(none), ..NEEDS }, 0.0), None);
        assert_eq!(
            basis(PACE),
            "10.0 GB of weights a second for one token and 50 billion products a second for many, on 2 threads"
        );
    }

    #[test]
    fn an_answer_says_how_far_the_prediction_was_off() {
        // 19 gaps in 190 ms with 1,000 positions in the cache: 150 MB a token were predicted.
        let answered = Answered::of(&finished(20, 0), 2).unwrap();
        assert_eq!(
            answered.error(PACE, NEEDS).unwrap(),
            "The answer: predicted 67 tok/s, measured 100, off by −33 %. \
             Reading: predicted 500 tok/s, measured 400, off by +25 %."
        );
        let reused = Answered::of(&finished(20, 985), 2).unwrap().error(PACE, NEEDS).unwrap();
        assert!(reused.contains("off by −33 %.") && !reused.contains("Reading"), "{reused}");
        assert_eq!(Answered::of(&finished(8, 0), 2), None);
        // A prediction for two threads says nothing of one.
        assert_eq!(Answered::of(&finished(20, 0), 1).unwrap().error(PACE, NEEDS), None);
    }
}
