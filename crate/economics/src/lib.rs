//! The cost of answering requests from a cloud API, on servers of one's own, on the users' devices, in their
//! browsers, or on servers with the cloud behind them; from when which is cheapest, and how surely; and what may be
//! chosen at all. Pure: no clock, no input or output, no randomness but what a seed gives.
//!
//! Conventions, printed beside every result: see [`convention`].
//!
//! Rooms, each of which knows only those before it: `input` the case, `bill` what each deployment pays, `memory`
//! whether a model fits, `compare` a deployment beside the cloud, `decide` which one to choose, `report` all of
//! it at once; `uncertainty` how sure it is, `presets` dated cases to start from.

#![deny(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod bill;
mod compare;
mod decide;
mod deployment;
mod input;
mod memory;
mod money;
mod presets;
mod report;
pub mod uncertainty;
mod units;

pub use bill::{
    Basis, Bill, BillLine, Depreciation, Downloads, Flow, Keys, Line, MACRS_FIVE_YEARS, Payer, Total, bill,
    depreciation, downloads, engineering_cost, expected_failures, poisson_cdf, request_price, service_time,
    share_failing, spares, totals, totals_at,
};
pub use compare::{
    BreakEven, BreakEvenVolumes, Comparison, Conventions, CumulativePoint, DeviceCost, Irr, LONGEST_PAYBACK,
    Verdict, VolumePoint, WaterfallStep, break_even, break_even_volume_by_horizon, break_even_volumes,
    by_volume, compare, convention, conventions, cumulative, device_cost, floor_volume, irr, log_volumes,
    waterfall,
};
pub use decide::{
    ArticleChart, ArticleOutcome, ArticleStep, CLOSE_CALL, Capacity, Decision, Defect, Evidence, Gate,
    GateResult, Origin, Outcome, PLAUSIBLE_WEEK, Queue, Sampled, Warning, capacity, cloud_share, decide,
    implied_week, warnings,
};
pub use deployment::Deployment;
pub use figures::{Figure, Kind};
pub use input::{
    Browser, CHOICES, Choice, Cloud, DataPolicy, Demand, Edge, EgressBasis, Engineering, EngineeringBasis,
    FIELDS, Field, Finance, FleetBasis, Given, Group, Hybrid, InputError, OnDevice, OptionInfo, Policy,
    PriceBasis, Routing, Scenario, SloMetric, SloPercentile, read_inputs, write_inputs,
};
pub use memory::{
    DecodeRow, HARDWARE, Hardware, KvCache, SCHEMES, Scheme, decode_ceiling, decode_table, memory_needed,
    used_bandwidth, weight_bytes,
};
pub use money::{count, share, usd};
pub use presets::{
    ArticleDefect, Assumption, ChoiceEntry, Discrepancy, Entry, Ledger, Preset, Selection, SetBy,
    article_defects, defaults, presets, seed_discrepancy,
};
pub use report::{Report, evaluate, evaluate_with};
pub use units::*;
