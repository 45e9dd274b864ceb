//! Checks of a GPU, and an estimate of this processor, without holding the model.

mod agreement;
mod estimate;
pub mod streamed;
mod trace;

pub use agreement::Agreement;
pub use estimate::{Estimate, estimate};
pub use trace::{Trace, Traced, trace};
