//! The section without a browser: tasks, the catalogue, what a load asks for, the device check, an answer’s samples.

pub mod catalogue;
pub mod device_check;
pub mod labels;
pub mod load_choice;
pub mod rate;
pub mod recording;
pub mod self_check;
pub mod tasks;
pub mod thinking;
