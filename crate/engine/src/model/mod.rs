//! A model as data ([`Spec`]), the order of its computation ([`Plan`]), the loader of its weights, and the trait
//! of the backends that run it ([`Backend`]).

mod arch;
mod backend;
mod plan;
mod rope;
mod spec;
pub mod weights;

pub use backend::{Backend, forward, run_ops};
pub use plan::{Activations, Epilogue, Kind, Op, Plan, Project, Projection, Prologue};
pub use rope::{rope_angles, rope_frequencies};
pub use spec::{Activation, Attention, FeedForward, Layer, Linear, Norm, Pairs, Rope, Rows, Spec};
