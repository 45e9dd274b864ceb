//! A model as data ([`Spec`]), the order of its computation ([`Plan`]), the loader of its weights, and the trait
//! of the backends that run it ([`Backend`]).

mod arch;
mod backend;
mod plan;
mod rope;
mod spec;
pub mod weights;

pub use backend::{Backend, Precision, Token, forward, run_ops};
pub use plan::{
    Activations, AddNormed, Embed, Epilogue, HeadNorms, Kind, Op, Plan, Project, Projection, Prologue,
    RopeAppend, Vector,
};
pub use rope::{Rotation, rope_angles, rotation};
pub use spec::{
    Activation, Attention, FeedForward, Halves, Layer, Linear, Norm, Pairs, Rope, Rows, Scaling, Spec,
};
