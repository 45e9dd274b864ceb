//! Many answers, looked at together: distributions, percentiles, objectives, sustained load, and as many simulated requests.

mod distribution;
mod objectives;
mod percentiles;
mod simulation;
mod sustained;
mod versus;

pub use distribution::{Draw, Side, cumulative, histogram};
pub use objectives::{Kept, kept};
pub use percentiles::{Cell, LEVELS, Line, Means, by_category, lines};
pub use simulation::{ASSUMED, BYTES_PER_TOKEN, REQUESTS, Simulation, Size, sizes};
pub use sustained::{Load, memory, speed, verdict as soak_verdict};
pub use versus::verdict;
