//! Which deployment to choose: the requirements that each must meet, and the net present cost of what is left.

mod article;
mod capacity;
mod decision;
mod gate;
mod warning;

pub use article::{ArticleChart, ArticleOutcome, ArticleStep, Defect};
pub use capacity::{Capacity, Queue, capacity};
pub use decision::{CLOSE_CALL, Decision, decide};
pub use gate::{Evidence, Gate, GateResult, Origin, Outcome, Sampled, cloud_share};
pub use warning::{PLAUSIBLE_WEEK, Warning, implied_week, warnings};
