//! Whether a model fits on this device, told before it is loaded, and why its context is shorter than was asked for.

use protocol::{Fit, Lowered, Needs, SHORTEST, memory_limit};

use crate::shared::format;

/// Memory and fit, half a sentence.
pub fn words(needs: Needs, context: u32, memory_gb: Option<f64>) -> String {
    let limit = memory_limit(memory_gb);
    let bytes = |bytes: u64| format::bytes(bytes as f64);
    let memory = bytes(needs.memory(context));
    match needs.fit(context, limit) {
        Fit::Fits => format!("about {memory} of memory, fits here"),
        Fit::Lowered(positions) => format!(
            "about {memory} of memory and {} here, so the context is lowered from {} to {} tokens",
            bytes(limit),
            format::count(f64::from(context)),
            format::count(f64::from(positions))
        ),
        Fit::TooBig => format!(
            "about {} of memory even with a context of {SHORTEST} tokens, more than the {} that a tab can use here",
            bytes(needs.memory(context.min(SHORTEST))),
            bytes(limit)
        ),
    }
}

/// Why a context of `got` positions is shorter than the one asked for, a sentence; `None` where it is not.
pub fn shortened(asked: u32, got: u32, lowered: Option<Lowered>) -> Option<String> {
    let count = |positions: u32| format::count(f64::from(positions));
    let bytes = |bytes: u64| format::bytes(bytes as f64);
    match lowered {
        Some(Lowered { asked, need, limit }) => Some(format!(
            "The context was lowered from {} to {} tokens: all of them would need about {} of memory, and there are {} here.",
            count(asked),
            count(got),
            bytes(need),
            bytes(limit)
        )),
        None => (got < asked).then(|| {
            format!(
                "The context has {} tokens instead of {}, since the model was trained on no more.",
                count(got),
                count(asked)
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_that_is_too_long_is_told_with_the_numbers() {
        let needs =
            Needs { weights: 1_000_000_000, kv_bytes_per_token: 1_000_000, context: 8_192, work: None };
        let with = |context, gb| words(needs, context, Some(gb));
        assert!(with(512, 2.0).ends_with("fits here"));
        let lowered = with(4_096, 2.0);
        assert_eq!(
            lowered,
            "about 5.2 GB of memory and 2.0 GB here, so the context is lowered from 4,096 to 932 tokens"
        );
        let refused = with(4_096, 1.0);
        assert!(refused.contains("1.6 GB") && refused.contains("more than the 1.0 GB"), "{refused}");
    }

    #[test]
    fn a_shorter_context_says_why() {
        assert_eq!(shortened(2_048, 2_048, None), None);
        assert!(shortened(4_096, 2_048, None).unwrap().contains("trained on no more"));
        let lowered = Lowered { asked: 4_096, need: 5_200_000_000, limit: 2_000_000_000 };
        let why = shortened(4_096, 932, Some(lowered)).unwrap();
        assert!(
            why.contains("from 4,096 to 932") && why.contains("5.2 GB") && why.contains("2.0 GB"),
            "{why}"
        );
    }
}
