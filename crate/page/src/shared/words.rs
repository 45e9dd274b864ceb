//! What the page says: endings, stages and limits in a visitor's words.

use protocol::{FinishReason, Stage};

/// How an answer ended, in a few words and in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Stable name for tests and copying, e.g. `context-full`.
    pub key: &'static str,
    /// A few words.
    pub short: &'static str,
    /// What it means and what can be done.
    pub long: &'static str,
}

/// The words for a reason to stop.
pub fn ending(reason: FinishReason) -> Ending {
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
    Ending { key, short, long }
}

/// What a load is doing, as a heading above the progress bar.
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Download => "Downloading",
        Stage::Storage => "Reading from this browser’s storage",
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
        Stage::Pack => "pack",
        Stage::Compile => "compile",
        Stage::Check => "check",
    }
}

/// The engine's messages are clauses; the page shows sentences.
pub fn sentence(message: &str) -> String {
    let message = message.trim();
    let mut letters = message.chars();
    let Some(first) = letters.next() else { return "No cause was given.".to_owned() };
    // A file name at the beginning keeps its own case.
    let word_is_name = message.split_whitespace().next().is_some_and(|word| word.contains(['.', '_', '/']));
    let first = if word_is_name { first.to_string() } else { first.to_uppercase().to_string() };
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// Most characters of a visitor's own text that the conversation shows; the model gets all of it.
const SHOWN: usize = 2_000;

/// The part of a long text that is worth laying out, and a note on the rest.
///
/// A megabyte in one paragraph would hold the main thread up for longer than a frame.
pub fn excerpt(text: &str) -> (&str, Option<String>) {
    match text.char_indices().nth(SHOWN) {
        None => (text, None),
        Some((end, _)) => {
            let rest = crate::shared::format::count(text[end..].chars().count() as f64);
            (&text[..end], Some(format!("… and {rest} more characters")))
        }
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
        .map(|reason| ending(reason).key);
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn clauses_become_sentences() {
        assert_eq!(sentence("the prompt is empty"), "The prompt is empty.");
        assert_eq!(sentence("a.gguf: cut short!"), "a.gguf: cut short!");
        assert_eq!(sentence("  "), "No cause was given.");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(excerpt("short"), ("short", None));
        let long = "🦀".repeat(3_000);
        let (shown, rest) = excerpt(&long);
        assert_eq!(shown.chars().count(), SHOWN);
        assert_eq!(rest.as_deref(), Some("… and 1,000 more characters"));
    }
}
