//! The two sides without a browser: timelines, the services that can be simulated, playback.

pub mod playback;
pub mod service;
pub mod timeline;
pub mod yours;
