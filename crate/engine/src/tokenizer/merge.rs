//! Byte pair encoding: of all neighbours that may be joined the pair with the lowest rank is, the leftmost of
//! equals, until none may. Time is O(n log n) in the symbols of a text.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

/// No symbol.
const NONE: usize = usize::MAX;

/// A stretch of the text on its way to a token.
pub(super) struct Symbol {
    /// Bytes of the text; empty once joined to the symbol before it.
    pub(super) range: Range<usize>,
    /// `None` for a letter that is no token.
    pub(super) token: Option<u32>,
    /// Neighbours, or [`NONE`].
    before: usize,
    after: usize,
}

/// What two neighbours become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Join {
    /// The lowest goes first.
    pub(super) rank: u32,
    pub(super) token: u32,
}

/// Two neighbours that may be joined, ordered by rank, then from the left.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: u32,
    left: usize,
    /// Of both: an entry is out of date once one of them has grown or gone.
    bytes: usize,
    token: u32,
}

/// The symbols of one text after the other; memory is kept from text to text.
#[derive(Default)]
pub(super) struct Merger {
    symbols: Vec<Symbol>,
    queue: BinaryHeap<Reverse<Candidate>>,
}

impl Merger {
    /// Forgets the text.
    pub(super) fn clear(&mut self) {
        self.symbols.clear();
        self.queue.clear();
    }

    /// Appends the next letter of the text.
    pub(super) fn push(&mut self, bytes: usize, token: Option<u32>) {
        let index = self.symbols.len();
        let start = self.symbols.last_mut().map_or(0, |last| {
            last.after = index;
            last.range.end
        });
        let before = index.checked_sub(1).unwrap_or(NONE);
        self.symbols.push(Symbol { range: start..start + bytes, token, before, after: NONE });
    }

    /// Joins what `join` says may be joined; the symbols that are left, in order.
    pub(super) fn merge(
        &mut self,
        join: impl Fn(&Symbol, &Symbol) -> Option<Join>,
    ) -> impl Iterator<Item = &Symbol> {
        for left in 0..self.symbols.len() {
            self.consider(left, &join);
        }
        while let Some(Reverse(Candidate { left, bytes, token, .. })) = self.queue.pop() {
            let Symbol { range: ref first, before, after: right, .. } = self.symbols[left];
            let Some(second) = self.symbols.get(right).map(|symbol| symbol.range.clone()) else { continue };
            if first.is_empty() || first.len() + second.len() != bytes {
                continue;
            }
            let after = self.symbols[right].after;
            self.symbols[right].range.start = second.end;
            let joined = &mut self.symbols[left];
            joined.range.end = second.end;
            joined.token = Some(token);
            joined.after = after;
            if let Some(next) = self.symbols.get_mut(after) {
                next.before = left;
            }
            self.consider(left, &join);
            self.consider(before, &join);
        }
        self.symbols.iter().filter(|symbol| !symbol.range.is_empty())
    }

    /// Puts `left` and what stands behind it in the queue, if they may be joined.
    fn consider(&mut self, left: usize, join: &impl Fn(&Symbol, &Symbol) -> Option<Join>) {
        let Some(first) = self.symbols.get(left) else { return };
        let Some(second) = self.symbols.get(first.after) else { return };
        if let Some(Join { rank, token }) = join(first, second) {
            let bytes = first.range.len() + second.range.len();
            self.queue.push(Reverse(Candidate { rank, left, bytes, token }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of `text` when `ranked` may be built, the first of them first.
    fn pieces<'t>(text: &'t str, ranked: &[&str]) -> Vec<&'t str> {
        let mut merger = Merger::default();
        for letter in text.chars() {
            merger.push(letter.len_utf8(), None);
        }
        let join = |left: &Symbol, right: &Symbol| {
            let rank = ranked.iter().position(|word| *word == &text[left.range.start..right.range.end])?;
            Some(Join { rank: rank as u32, token: rank as u32 })
        };
        merger.merge(join).map(|symbol| &text[symbol.range.clone()]).collect()
    }

    #[test]
    fn the_lowest_rank_goes_first_and_the_leftmost_of_equals() {
        assert_eq!(pieces("abc", &["bc", "ab", "abc"]), ["abc"]);
        assert_eq!(pieces("abc", &["bc", "ab"]), ["a", "bc"]);
        assert_eq!(pieces("aaaaa", &["aa"]), ["aa", "aa", "a"]);
        assert_eq!(pieces("aaaaa", &["aa", "aaaa"]), ["aaaa", "a"]);
        assert_eq!(pieces("日本日", &["日本"]), ["日本", "日"]);
        assert!(pieces("", &["aa"]).is_empty());
    }

    #[test]
    fn a_long_text_takes_no_square_of_time() {
        let text = "a".repeat(200_000);
        let words: Vec<String> = (1..11).map(|n| "a".repeat(1 << n)).collect();
        let ranked: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(pieces(&text, &ranked).len(), 195 + 2);
    }
}
