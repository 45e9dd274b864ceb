//! What the section knows without a browser: tasks, the catalogue, what a load asks for, an answer’s samples.

pub mod backend;
pub mod catalogue;
pub mod rate;
pub mod recording;
pub mod tasks;
