//! The section’s signals: the scenarios, and the trials that say how sure the answer is.

pub(crate) mod cost;
pub(crate) mod trials;
