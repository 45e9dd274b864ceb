//! Conversations to tokens: the chat template a file brings (or its family's), run within limits, and
//! tokenised so that nothing people wrote can become a special token.

mod families;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod goldens;
mod jinja;
mod message;
mod origin;
mod prompt;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use message::plain_prompt;
pub use message::{Message, Role};
pub use prompt::Prompt;
pub use template::ChatTemplate;
