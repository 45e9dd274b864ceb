//! A prompt, and which of its tokens the model said itself.

use super::message::{Message, Role};
use crate::model::{Precision, Token};
use crate::tokenizer::codec::Tokenizer;

/// Tokens to go on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    ids: Vec<u32>,
    /// Whether the model said it, in an earlier turn; one each.
    said: Vec<bool>,
}

impl Prompt {
    /// A text that the model has said nothing of.
    pub fn read(ids: Vec<u32>) -> Self {
        Self { said: vec![false; ids.len()], ids }
    }

    /// `ids` of a conversation. A token was said by the model if it lies within what an answer of `messages` says. Where
    /// an answer does not come up as it was, all of it counts as read: a session then reads it anew.
    pub(crate) fn of(ids: Vec<u32>, messages: &[Message], tokenizer: &Tokenizer) -> Self {
        let mut bytes = Vec::new();
        let ends: Vec<usize> = ids
            .iter()
            .map(|id| {
                bytes.extend(tokenizer.bytes(*id));
                bytes.len()
            })
            .collect();
        let mut prompt = Self::read(ids);
        let Ok(text) = String::from_utf8(bytes) else { return prompt };
        let mut from = 0;
        for message in messages {
            let found = [&*message.content, message.content.trim()].into_iter().find_map(|content| {
                let start = from + text[from..].find(content)?;
                Some(start..start + content.len())
            });
            let Some(found) = found else { continue };
            from = found.end;
            if message.role == Role::Assistant {
                let begin = |index: usize| if index == 0 { 0 } else { ends[index - 1] };
                for (index, said) in prompt.said.iter_mut().enumerate() {
                    *said |= found.start <= begin(index) && ends[index] <= found.end && !found.is_empty();
                }
            }
        }
        prompt
    }

    /// Entries of the vocabulary.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Tokens as they are read: what the model said as finely as when it said it, all else with the precision of
    /// `reading`.
    pub(crate) fn tokens(&self, reading: Precision) -> impl Iterator<Item = Token> {
        self.ids.iter().zip(&self.said).map(move |(id, said)| Token {
            id: *id,
            precision: if *said { Precision::Fourteen } else { reading },
        })
    }
}
