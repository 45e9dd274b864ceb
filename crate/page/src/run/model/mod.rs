//! The section without a browser: tasks, the catalogue, the models to choose from whether they fit, how fast they would be, what a load asks for, the device check, an answer’s samples.

pub mod catalogue;
pub mod choices;
pub mod device_check;
pub mod fit;
pub mod labels;
pub mod load_choice;
pub mod predict;
pub mod rate;
pub mod recording;
pub mod self_check;
pub mod tasks;
pub mod thinking;
