//! The two sides without a browser: timelines, the services that can be simulated, playback.

pub mod playback;
pub mod service;
pub mod simulated;
pub mod size;
pub mod timeline;
pub mod verdict;
pub mod yours;
