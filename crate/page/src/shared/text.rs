//! Sentences out of clauses, and long texts cut short.

use crate::shared::format;

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
            let rest = format::count(text[end..].chars().count() as f64);
            (&text[..end], Some(format!("… and {rest} more characters")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
