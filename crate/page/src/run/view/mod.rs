//! The section's views.

mod check;
mod conversation;
mod device_card;
mod measure;
mod metrics;
mod model_card;
mod prompt_box;
pub(crate) mod section;
mod settings_form;
