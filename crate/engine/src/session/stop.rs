//! Stop strings: text that may be the beginning of one is held back until it is known not to be.

/// Watches streamed text for stop strings.
pub(crate) struct StopStrings {
    stops: Vec<String>,
    held: String,
}

impl StopStrings {
    /// Empty strings are left out: they would stop everything.
    pub(crate) fn new(stops: &[String]) -> Self {
        let stops = stops.iter().filter(|s| !s.is_empty()).cloned().collect();
        Self { stops, held: String::new() }
    }

    /// Takes the next piece; returns what may be shown, and whether a stop string came up.
    pub(crate) fn push(&mut self, piece: &str) -> (String, bool) {
        if self.stops.is_empty() {
            return (piece.to_owned(), false);
        }
        self.held.push_str(piece);
        if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min() {
            let shown = self.held[..at].to_owned();
            self.held.clear();
            return (shown, true);
        }
        let keep = self.stops.iter().map(|stop| overlap(&self.held, stop)).max().unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - keep);
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// The end of the text: what was held back after all, with the last piece. A stop string in it still ends it.
    pub(crate) fn finish(&mut self, piece: &str) -> String {
        let (mut shown, stopped) = self.push(piece);
        if !stopped {
            shown.push_str(&std::mem::take(&mut self.held));
        }
        shown
    }
}

/// Bytes at the end of `text` that begin `stop`.
fn overlap(text: &str, stop: &str) -> usize {
    (1..=stop.len().min(text.len()))
        .rev()
        .find(|len| stop.is_char_boundary(*len) && text.ends_with(&stop[..*len]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(|s| s.to_string()).collect();
        let mut watch = StopStrings::new(&stops);
        let mut out = String::new();
        for piece in pieces {
            let (text, stopped) = watch.push(piece);
            out += &text;
            if stopped {
                return (out, true);
            }
        }
        (out + &watch.finish(""), false)
    }

    #[test]
    fn a_stop_string_split_over_pieces_is_found_and_not_shown() {
        assert_eq!(stream(&["\n\n", "END"], &["one", " E", "N", "D two"]), ("one ".into(), true));
    }

    #[test]
    fn what_only_began_like_one_is_shown() {
        assert_eq!(stream(&["END"], &["EN", "EN", "E"]), ("ENENE".into(), false));
        assert_eq!(stream(&["é!"], &["caf", "é", "?"]), ("café?".into(), false));
    }

    #[test]
    fn without_stop_strings_nothing_is_held() {
        assert_eq!(stream(&[""], &["a", "b"]), ("ab".into(), false));
    }
}
