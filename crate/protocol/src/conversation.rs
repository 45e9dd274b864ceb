//! A conversation, and how the next token of an answer is chosen.

use serde::{Deserialize, Serialize};

/// Who speaks in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions.
    System,
    /// The visitor.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// Name in chat templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// Their words; plain text, never markup.
    pub content: String,
}

/// How the next token is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// 0 is greedy; otherwise logits are divided by it. Range 0 to 5.
    pub temperature: f32,
    /// Keep this many candidates; 0 keeps all.
    pub top_k: usize,
    /// Keep the smallest set with this probability mass, (0, 1]; 1 keeps all.
    pub top_p: f32,
    /// Drop candidates below this share of the best one's probability, [0, 1); 0 drops none.
    pub min_p: f32,
    /// Divides positive and multiplies negative logits of tokens already seen; 1 does nothing. Range 0.5 to 2.
    pub repetition_penalty: f32,
    /// Seed of the random numbers; the same seed and prompt give the same text.
    pub seed: u64,
}

impl Sampling {
    /// Always the most probable token.
    pub fn greedy() -> Self {
        Self { temperature: 0.0, top_k: 0, top_p: 1.0, min_p: 0.0, repetition_penalty: 1.0, seed: 0 }
    }
}
