//! The prompt of a file without a chat template.

pub use protocol::{Message, Role};

use crate::error::Result;
use crate::tokenizer::codec::{Specials, Tokenizer};

/// For a file without a chat template: what was said, line by line.
pub(crate) fn plain_prompt(messages: &[Message], tokenizer: &Tokenizer) -> Result<Vec<u32>> {
    let text = messages.iter().map(|m| m.content.as_str()).collect::<Vec<_>>().join("\n");
    let mut ids: Vec<u32> = tokenizer.bos().filter(|_| tokenizer.adds_bos()).into_iter().collect();
    ids.extend(tokenizer.encode(&text, Specials::AsText)?);
    Ok(ids)
}
