//! The ends of answers and the stages of loads, in a visitor's words.

use protocol::{FinishReason, Stage};

/// How an answer ended, in a few words and in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Stable name for tests and copying, e.g. `context-full`.
    pub key: &'static str,
    /// A few words.
    pub short: &'static str,
    /// Its meaning and the way out.
    pub long: &'static str,
}

impl From<FinishReason> for Ending {
    fn from(reason: FinishReason) -> Self {
        let (key, short, long) = match reason {
            FinishReason::EndOfTurn => ("end-of-turn", "Finished", "The model ended its answer."),
            FinishReason::StopString => ("stop-string", "Finished", "A stop text came up."),
            FinishReason::Budget => (
                "budget",
                "Cut off at the longest answer",
                "The answer reached its token limit. Raise “Longest answer” in the settings for more.",
            ),
            FinishReason::ContextFull => (
                "context-full",
                "Context full",
                "Prompt and answer fill the model’s memory for this conversation. Start a new conversation, \
                 shorten the prompt, or load the model with a larger context.",
            ),
            FinishReason::Aborted => ("aborted", "Stopped", "You stopped the answer."),
        };
        Self { key, short, long }
    }
}

/// Name of a load's stage, as a heading above the progress bar.
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Download => "Downloading",
        Stage::Storage => "Reading from this browser’s storage",
        Stage::Keep => "Keeping in this browser",
        Stage::Pack => "Preparing the weights",
        Stage::Compile => "Making the GPU’s kernels",
        Stage::Check => "Checking the GPU against the processor",
    }
}

/// Stable name of a stage for tests.
pub fn stage_key(stage: Stage) -> &'static str {
    match stage {
        Stage::Download => "download",
        Stage::Storage => "storage",
        Stage::Keep => "keep",
        Stage::Pack => "pack",
        Stage::Compile => "compile",
        Stage::Check => "check",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_own_name() {
        let all = [
            FinishReason::EndOfTurn,
            FinishReason::StopString,
            FinishReason::Budget,
            FinishReason::ContextFull,
            FinishReason::Aborted,
        ]
        .map(|reason| Ending::from(reason).key);
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
