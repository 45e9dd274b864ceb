//! Many answers, looked at together: distributions, percentiles, objectives, sustained load, and as many simulated requests.

pub mod distribution;
pub mod objectives;
pub mod percentiles;
pub mod simulation;
pub mod sustained;
pub mod verdict;
