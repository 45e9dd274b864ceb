//! The section's views.

mod check;
mod conversation;
mod device_card;
mod inspected;
mod measure;
mod metrics;
mod model_card;
mod pace;
mod picker;
mod prompt_box;
pub(crate) mod section;
mod settings_form;
mod stored;
