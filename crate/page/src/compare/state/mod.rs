//! The section’s signals: what is compared, and the race under way.

pub(crate) mod comparison;
pub(crate) mod playback;
