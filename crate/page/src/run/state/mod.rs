//! The section’s signals: the conversation, the model, the measurement of the backend.

pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod model;
