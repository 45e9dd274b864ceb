//! A case to price: its inputs, their ranges and options, and the file that holds them.

mod choice;
mod error;
mod field;
mod file;
mod group;
mod option;
mod scenario;

pub use choice::{CHOICES, Choice};
pub use error::InputError;
pub use field::{FIELDS, Field};
pub use file::{Given, read_inputs, write_inputs};
pub use group::Group;
pub use option::{
    DataPolicy, EgressBasis, EngineeringBasis, FleetBasis, OptionInfo, PriceBasis, Routing, SloMetric,
    SloPercentile,
};
pub use scenario::{Browser, Cloud, Demand, Edge, Engineering, Finance, Hybrid, OnDevice, Policy, Scenario};
