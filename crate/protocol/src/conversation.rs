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

/// Where the template comes from that a conversation is written with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TemplateOrigin {
    /// The model's file.
    File,
    /// A family of models, by name, that the vocabulary shows; the file brings none.
    Family(String),
    /// There is none: what was said is read line by line.
    None,
}

/// How conversations are put to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatFormat {
    /// Where the template comes from.
    pub origin: TemplateOrigin,
    /// Whether it takes a system message; otherwise that stands in front of the first turn.
    pub takes_system: bool,
    /// Whether thinking can be switched on and off.
    pub thinking_switch: bool,
    /// Whether the prompt itself opens the model's thought (`<think>`), unless thinking is switched off.
    pub opens_thought: bool,
}

impl ChatFormat {
    /// Of a model without a template.
    pub fn plain() -> Self {
        Self {
            origin: TemplateOrigin::None,
            takes_system: true,
            thinking_switch: false,
            opens_thought: false,
        }
    }

    /// What a missing template is made up for with, a sentence; `None` where the file brings one.
    pub fn template_note(&self) -> Option<String> {
        match &self.origin {
            TemplateOrigin::File => None,
            TemplateOrigin::Family(name) => Some(format!(
                "This file has no chat template; its vocabulary is that of the {name} family, whose template is used."
            )),
            TemplateOrigin::None => Some(
                "This file has no chat template: it is read as plain text, and continues text rather than answering."
                    .to_owned(),
            ),
        }
    }

    /// What becomes of a system message in this conversation, a sentence; `None` where the template takes it.
    pub fn system_note(&self, messages: &[Message]) -> Option<&'static str> {
        let folded = !self.takes_system && messages.iter().any(|message| message.role == Role::System);
        folded.then_some(
            "The model takes no system prompt: the instructions were put in front of the first turn.",
        )
    }
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
