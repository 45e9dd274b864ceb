//! Which special tokens of a rendered conversation the template wrote, and which only repeat what people
//! said.
//!
//! A template is run on the real contents, and its text is the prompt's text, character for character. A
//! second run tells where characters come from: *stand-ins*, private-use characters that occur nowhere else
//! in it, take the place of some characters on the way in. No operation of a template makes one out of
//! another character, and one character takes the place of one, so lengths, slices and positions stay.
//! There are two such runs:
//!
//! 1. Contents wear stand-ins. What is still spelled in real characters is the template's own.
//! 2. The template's special tokens wear stand-ins. What is spelled in stand-ins is the template's own.
//!
//! A run counts only if it wrote the same text, stand-ins read as what they stand for. The first does
//! unless the template looks into contents for more than white space; the second does unless it compares
//! contents with a special token, as `content.split('</think>')` does: each place in the template is tried,
//! and those are left as they are.
//! Of runs that count, the one that shows more special tokens is taken. Each is a rendering in which the
//! template wrote every character of every special token, so whichever is taken, none is forged; what
//! neither shows is text.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

/// Private-use characters: no text means anything by them except by agreement.
const PRIVATE: [RangeInclusive<char>; 3] =
    ['\u{f0000}'..='\u{ffffd}', '\u{100000}'..='\u{10fffd}', '\u{e000}'..='\u{f8ff}'];

/// Characters in the place of others.
#[derive(Clone)]
pub(super) struct StandIns {
    taken: HashSet<char>,
    next: std::iter::Flatten<std::array::IntoIter<RangeInclusive<char>, 3>>,
    of: HashMap<char, char>,
    meaning: HashMap<char, char>,
}

impl StandIns {
    /// None of them occurs in `texts`.
    pub(super) fn apart_from<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let private = |c: &char| PRIVATE.iter().any(|range| range.contains(c));
        let taken = texts.flat_map(str::chars).filter(private).collect();
        let next = PRIVATE.into_iter().flatten();
        Self { taken, next, of: HashMap::new(), meaning: HashMap::new() }
    }

    /// A private-use character that stands for nothing; `None` when there is none left.
    pub(super) fn unused(&mut self) -> Option<char> {
        self.next.find(|c| !self.taken.contains(c))
    }

    /// `text` in stand-ins, apart from characters that are to `stay`; `None` when there are too few.
    pub(super) fn hide(&mut self, text: &str, stay: impl Fn(char) -> bool) -> Option<String> {
        text.chars()
            .map(|c| {
                if stay(c) {
                    return Some(c);
                }
                if let Some(stand_in) = self.of.get(&c) {
                    return Some(*stand_in);
                }
                let stand_in = self.unused()?;
                self.of.insert(c, stand_in);
                self.meaning.insert(stand_in, c);
                Some(stand_in)
            })
            .collect()
    }

    /// The character that `c` stands for, if it is a stand-in.
    pub(super) fn meaning(&self, c: char) -> Option<char> {
        self.meaning.get(&c).copied()
    }

    /// Whether `rendered` is `reference`, stand-ins read as what they stand for.
    pub(super) fn reads_as(&self, rendered: &str, reference: &str) -> bool {
        rendered.chars().map(|c| self.meaning(c).unwrap_or(c)).eq(reference.chars())
    }
}
