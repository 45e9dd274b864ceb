//! Tokens to text as they come, never splitting a UTF-8 character.

use super::codec::Tokenizer;

/// Holds the bytes of a character until its last one has come.
#[derive(Default)]
pub struct TextStream {
    held: Vec<u8>,
    /// Whether a space in front of everything is to be left out.
    drops_space: bool,
}

impl TextStream {
    /// A text that comes after `tokens`, without the space that encoding it there would put in front.
    pub fn after(tokenizer: &Tokenizer, tokens: &[u32]) -> Self {
        Self { held: Vec::new(), drops_space: tokenizer.adds_space_after(tokens) }
    }

    /// Takes one token; returns the text that became complete. Bytes that can never become a character are
    /// replaced at once.
    pub fn push(&mut self, tokenizer: &Tokenizer, id: u32) -> String {
        let bytes = tokenizer.bytes(id);
        let dropped = self.drops_space && bytes.first() == Some(&b' ');
        self.drops_space &= bytes.is_empty();
        self.push_bytes(&bytes[usize::from(dropped)..])
    }

    fn push_bytes(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let unfinished = match self.held.utf8_chunks().last() {
            // An unfinished sequence is at most three bytes, at the very end, and valid so far.
            Some(chunk) if could_go_on(chunk.invalid()) => chunk.invalid().len(),
            _ => 0,
        };
        let rest = self.held.split_off(self.held.len() - unfinished);
        let whole = std::mem::replace(&mut self.held, rest);
        String::from_utf8_lossy(&whole).into_owned()
    }

    /// The end of the text: an unfinished character becomes the replacement character.
    pub fn flush(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }
}

/// Whether more bytes could make these a character.
fn could_go_on(bytes: &[u8]) -> bool {
    !bytes.is_empty() && matches!(std::str::from_utf8(bytes), Err(error) if error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(pieces: &[&[u8]]) -> (Vec<String>, String) {
        let mut stream = TextStream::default();
        let shown = pieces.iter().map(|piece| stream.push_bytes(piece)).collect();
        (shown, stream.flush())
    }

    #[test]
    fn a_character_comes_whole_with_its_last_byte() {
        let emoji = "a😀".as_bytes();
        let (shown, tail) = stream(&[&emoji[..2], &emoji[2..4], &emoji[4..], b"!"]);
        assert_eq!(
            (shown.as_slice(), tail.as_str()),
            (["a", "", "😀", "!"].map(String::from).as_slice(), "")
        );
    }

    #[test]
    fn broken_bytes_are_replaced_and_do_not_hold_up_the_rest() {
        let (shown, tail) = stream(&[b"\xf0\x9f", b"ok", b"\xff", b"\xe4\xb8"]);
        assert_eq!(shown, ["", "\u{fffd}ok", "\u{fffd}", ""]);
        assert_eq!(tail, "\u{fffd}");
    }
}
