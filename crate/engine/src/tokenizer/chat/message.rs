//! What is said, and by whom.

use crate::error::Result;
use crate::tokenizer::codec::{Specials, Tokenizer};

/// Who speaks in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// Name in templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// For a file without a chat template: what was said, line by line.
pub(crate) fn plain_prompt(messages: &[Message], tokenizer: &Tokenizer) -> Result<Vec<u32>> {
    let text = messages.iter().map(|m| m.content.as_str()).collect::<Vec<_>>().join("\n");
    let mut ids: Vec<u32> = tokenizer.bos().filter(|_| tokenizer.adds_bos()).into_iter().collect();
    ids.extend(tokenizer.encode(&text, Specials::AsText)?);
    Ok(ids)
}
