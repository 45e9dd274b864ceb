//! What it costs to answer requests from a cloud API, on servers of one's own, on the users' devices, in their
//! browsers, or on servers with the cloud behind them; from when which is cheapest, and how surely; and what may be
//! chosen at all. Pure: no clock, no input or output, no randomness but what a seed gives.
//!
//! Conventions, printed beside every result: see [`convention`].
//!
//! F1 to F11 name the formulas of the source article ("the seed"), C1 to C12 those of modelling practice beyond
//! it, as the tests pin them.

#![deny(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod article;
mod bill;
mod capacity;
mod choice;
mod convention;
mod crossing;
mod decision;
mod deployment;
mod depreciation;
mod downloads;
mod error;
mod field;
mod fleet;
mod flow;
mod footprint;
mod gate;
mod input;
mod lines;
mod money;
mod payback;
mod presets;
mod price;
mod quantisation;
mod report;
mod scenario;
mod sentence;
mod series;
mod spares;
pub mod uncertainty;
mod units;
mod warning;

pub use article::{ArticleChart, ArticleOutcome, ArticleStep, Defect};
pub use bill::{Bill, BillLine, Keys, Line, Payer, bill, totals, totals_at};
pub use capacity::{Capacity, Queue, capacity};
pub use choice::{
    CHOICES, Choice, DataPolicy, EgressBasis, EngineeringBasis, FleetBasis, OptionInfo, PriceBasis, Routing,
    SloMetric, SloPercentile,
};
pub use convention::{Conventions, convention, conventions};
pub use crossing::{Basis, Crossings, DeviceCost, crossings, device_cost, floor_volume};
pub use decision::{CLOSE_CALL, Decision, decide};
pub use deployment::Deployment;
pub use depreciation::{Depreciation, MACRS_FIVE_YEARS, depreciation};
pub use downloads::{Downloads, downloads};
pub use error::InputError;
pub use field::{FIELDS, Field, Group};
pub use fleet::service_time;
pub use flow::{Flow, Total};
pub use footprint::{decode_ceiling, memory_needed, weight_bytes};
pub use gate::{Evidence, Gate, GateResult, Origin, Outcome, Sampled, cloud_share};
pub use input::{Given, read_inputs, write_inputs};
pub use money::{count, share, usd};
pub use payback::{BreakEven, Irr, LONGEST_PAYBACK, break_even, irr};
pub use presets::{
    ArticleDefect, Assumption, ChoiceEntry, Discrepancy, Entry, Kind, Ledger, Preset, Selection, SetBy,
    article_defects, defaults, presets, seed_discrepancy,
};
pub use price::{engineering_cost, request_price};
pub use quantisation::{
    DecodeRow, HARDWARE, Hardware, KvCache, SCHEMES, Scheme, decode_table, used_bandwidth,
};
pub use report::{Comparison, Report, Verdict, compare, evaluate, evaluate_with};
pub use scenario::{Browser, Cloud, Demand, Edge, Endpoint, Engineering, Finance, Hybrid, Policy, Scenario};
pub use series::{
    CumulativePoint, VolumePoint, WaterfallStep, by_volume, cumulative, log_volumes, tipping_by_horizon,
    waterfall,
};
pub use spares::{expected_failures, poisson_cdf, share_failing, spares};
pub use units::*;
pub use warning::{PLAUSIBLE_WEEK, Warning, implied_week, warnings};
