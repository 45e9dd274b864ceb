//! The size of a request, the same for both sides.

use latency::cloud::{Connection, Request};

use crate::run::model::recording::Recording;
use crate::shared::format;

/// Bytes of a token that is sent; assumed, English text has about so many.
pub const BYTES_PER_TOKEN: u64 = 4;

/// The size of a request, the same for both sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Bytes of the prompt.
    pub prompt_bytes: u64,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// Whether it is that of an answer measured here; otherwise it is assumed.
    pub measured: bool,
}

/// The size that stands in until there is an answer.
pub(super) const ASSUMED: Size =
    Size { prompt_bytes: 400, prompt_tokens: 100, output_tokens: 60, measured: false };

impl Size {
    /// That of the last answer, or the assumed one.
    pub fn of(recording: Option<&Recording>) -> Self {
        recording.and_then(|recording| recording.finished.as_ref().map(|f| (recording, f))).map_or(
            ASSUMED,
            |(recording, finished)| Self {
                prompt_bytes: recording.prompt_bytes as u64,
                prompt_tokens: finished.prompt_tokens,
                output_tokens: finished.tokens.max(1),
                measured: true,
            },
        )
    }

    /// A request of this size.
    pub fn request(&self, connection: Connection) -> Request {
        Request {
            prompt_bytes: self.prompt_bytes,
            prompt_tokens: self.prompt_tokens,
            output_tokens: self.output_tokens,
            connection,
        }
    }

    /// That of an answer under way, as long as it may become. Until the worker has counted the prompt, its tokens are
    /// guessed from its bytes.
    pub fn under_way(recording: &Recording, most_tokens: u32) -> Self {
        let guessed = (recording.prompt_bytes as u32).div_ceil(BYTES_PER_TOKEN as u32);
        Self {
            prompt_bytes: recording.prompt_bytes as u64,
            prompt_tokens: recording.prefill.as_ref().map_or(guessed, |prefill| prefill.total),
            output_tokens: most_tokens.max(1),
            measured: false,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        let size = format!(
            "{} ({}) in, {} out",
            format::counted(self.prompt_tokens, "token", "tokens"),
            format::bytes(self.prompt_bytes as f64),
            format::counted(self.output_tokens, "token", "tokens"),
        );
        if self.measured {
            format!("Both sides handle your last request: {size}.")
        } else {
            format!("There is no answer yet, so a request of an assumed size is simulated: {size}.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::model::timeline::tests::measured;

    #[test]
    fn sizes_say_where_they_come_from() {
        assert!(Size::of(None).words().contains("assumed"));
        let size = Size::of(Some(&measured()));
        assert_eq!((size.prompt_tokens, size.output_tokens, size.measured), (80, 10, true));
        let guessed = Size::under_way(&Recording::new(0.0, 300), 64);
        assert_eq!((guessed.prompt_tokens, guessed.output_tokens, guessed.measured), (75, 64, false));
    }
}
