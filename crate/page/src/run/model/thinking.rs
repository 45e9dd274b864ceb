//! An answer in two: what the model thought first, and what it says.

/// Marks around a thought.
const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// An answer in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken<'a> {
    /// The thought; empty without one.
    pub thought: &'a str,
    /// Whether the thought is still going on.
    pub thinking: bool,
    /// The answer itself.
    pub said: &'a str,
}

/// `text` in two; `opened`: the prompt has opened the thought already.
pub fn split(text: &str, opened: bool) -> Spoken<'_> {
    let trimmed = text.trim_start();
    let begun = trimmed.strip_prefix(OPEN);
    // The mark may have come in part only.
    let begins = !trimmed.is_empty() && OPEN.starts_with(trimmed);
    match begun.or((opened && !begins).then_some(text)) {
        None if begins => Spoken { thought: "", thinking: true, said: "" },
        None => Spoken { thought: "", thinking: false, said: text },
        Some(inner) => match inner.split_once(CLOSE) {
            Some((thought, said)) => {
                Spoken { thought: thought.trim(), thinking: false, said: said.trim_start() }
            }
            None => Spoken { thought: inner.trim(), thinking: true, said: "" },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thought_is_told_from_the_answer() {
        let of = |text: &'static str, opened| {
            let Spoken { thought, thinking, said } = split(text, opened);
            (thought, thinking, said)
        };
        assert_eq!(of("Hello <think>", false), ("", false, "Hello <think>"));
        assert_eq!(of("", false), ("", false, ""));
        assert_eq!(of("<thi", false), ("", true, ""));
        assert_eq!(of("<this is it", false), ("", false, "<this is it"));
        assert_eq!(of("\n<think>\nhm", false), ("hm", true, ""));
        assert_eq!(of("<think>\nhm\n</think>\n\n42 </think>", false), ("hm", false, "42 </think>"));
        assert_eq!(of("<think>\n\n</think>\n\n42", false), ("", false, "42"));
        // The prompt ended with the opening mark.
        assert_eq!(of("", true), ("", true, ""));
        assert_eq!(of("hm", true), ("hm", true, ""));
        assert_eq!(of("hm\n</think>\n42", true), ("hm", false, "42"));
        assert_eq!(of("<think>hm</think>42", true), ("hm", false, "42"));
    }
}
