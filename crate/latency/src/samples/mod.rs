//! Measured and simulated samples: what they are taken of, recorders, percentiles and how sure they are, and what a
//! list of times says of a distribution or of a device.

pub mod corpus;
pub mod fit;
pub mod interval;
pub mod pasted;
pub mod soak;
pub mod stats;
