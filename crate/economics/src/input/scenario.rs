//! The inputs: what a visitor may say about their case. Ranges and labels are in [`crate::FIELDS`].

use serde::{Deserialize, Serialize};

use super::option::{
    DataPolicy, EgressBasis, EngineeringBasis, FleetBasis, PriceBasis, Routing, SloMetric, SloPercentile,
};
use crate::units::{
    Bytes, Devices, Gigabytes, Milliseconds, Months, Ratio, RequestsPerMonth, Seconds, Share, Tokens,
    TokensPerSecond, Usd, UsdPerGigabyte, UsdPerKilowattHour, UsdPerMillionTokens, UsdPerMonth,
    UsdPerRequest, UsdPerSecond, UsdPerWeek, Watts, Weeks,
};

/// One case to price. Its default is the article's worked example; see [`Scenario::seed_example`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Requests, their size and their growth.
    pub demand: Demand,
    /// How money is counted over time.
    pub finance: Finance,
    /// A cloud API.
    pub cloud: Cloud,
    /// Engineering of anything but a cloud client.
    pub engineering: Engineering,
    /// Servers of one's own, shared by all users.
    pub edge: Edge,
    /// Devices that the users own.
    #[serde(rename = "endpoint")]
    pub on_device: OnDevice,
    /// The users' browsers.
    pub browser: Browser,
    /// Edge servers with the cloud behind them.
    pub hybrid: Hybrid,
    /// Requirements on a deployment that is considered.
    pub policy: Policy,
}

/// Requests, their size and their growth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Demand {
    /// Requests in the first month.
    pub requests_per_month: RequestsPerMonth,
    /// Growth of the requests from one month to the next.
    pub growth_per_month: Share,
    /// Tokens read for a request at full price.
    pub input_tokens: Tokens,
    /// Tokens read for a request from the provider's cache, beside `input_tokens`.
    pub cached_tokens: Tokens,
    /// Tokens of an answer.
    pub output_tokens: Tokens,
    /// Requests of one user in a month: requests ÷ this = users.
    pub requests_per_user: RequestsPerMonth,
    /// Share of a month's users that were not there the month before.
    pub new_users: Share,
    /// Busiest hour ÷ average hour.
    pub peak_factor: Ratio,
}

/// How money is counted over time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Finance {
    /// How long the comparison runs.
    pub horizon: Months,
    /// Return that money could earn elsewhere, a year, compounded monthly.
    pub hurdle_rate: Share,
    /// How much the cloud's price falls in a year; below 0 it rises.
    pub price_decline_per_year: Share,
    /// Price of electricity.
    pub tariff: UsdPerKilowattHour,
    /// Tax on profit, for the tax shield, which is information only.
    pub tax_rate: Share,
    /// Over how long hardware is written off, for the books only.
    pub book_life: Months,
}

/// A cloud API.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cloud {
    /// Which of the prices below counts.
    pub price: PriceBasis,
    /// Price of a request.
    pub usd_per_request: UsdPerRequest,
    /// Price of tokens read.
    pub usd_per_million_input: UsdPerMillionTokens,
    /// Price of tokens read from the cache.
    pub usd_per_million_cached: UsdPerMillionTokens,
    /// Price of tokens written.
    pub usd_per_million_output: UsdPerMillionTokens,
    /// Price of a second of compute.
    pub usd_per_second: UsdPerSecond,
    /// Seconds a request computes.
    pub seconds_per_request: Seconds,
    /// How egress is charged.
    pub egress: EgressBasis,
    /// Egress as a share, by `egress` of the total or on top of it.
    pub egress_share: Share,
    /// Price of egress.
    pub egress_usd_per_gb: UsdPerGigabyte,
    /// Bytes of an answer.
    pub egress_bytes: Bytes,
}

/// Engineering of anything but a cloud client, once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Engineering {
    /// Whether the lump sum or weeks × rate counts.
    pub basis: EngineeringBasis,
    /// One amount.
    pub lump_sum: Usd,
    /// Engineer-weeks of the work.
    pub weeks: Weeks,
    /// Full cost of an engineer's week.
    pub usd_per_week: UsdPerWeek,
}

/// Servers of one's own, shared by all users.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edge {
    /// Whether the hardware is entered or sized to the load.
    pub fleet: FleetBasis,
    /// Price of all hardware, where it is entered.
    pub capex: Usd,
    /// Devices that `capex` bought; for spares and idle energy.
    pub devices: Devices,
    /// Price of a device, where the fleet is sized.
    pub device_price: Usd,
    /// Updates, monitoring and support.
    pub lifecycle: UsdPerMonth,
    /// Price that hardware still fetches at the horizon, as a share of its price.
    pub residual: Share,
    /// Devices that fail in a year.
    pub failures_per_year: Share,
    /// How sure the spares must suffice.
    pub spares_confidence: Share,
    /// Power of a device beyond idling, while it answers.
    pub active_power: Watts,
    /// Power of a device that waits.
    pub idle_power: Watts,
    /// Decode speed of a device.
    pub tokens_per_second: TokensPerSecond,
    /// Time to first token of a device.
    pub ttft: Seconds,
    /// Share of its time that a device may be busy at the peak.
    pub utilisation_cap: Share,
    /// A wait longer than this is too long.
    pub wait_limit: Seconds,
    /// Share of requests at the peak that may wait too long.
    pub wait_share: Share,
    /// Memory of a device that a model may use.
    pub memory: Gigabytes,
}

/// Devices that the users own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OnDevice {
    /// Part of a device's price that is attributed to this feature.
    pub usd_per_device: Usd,
    /// Share of requests that the devices can answer; the rest goes to the cloud.
    pub coverage: Share,
    /// Updates, monitoring and support.
    pub lifecycle: UsdPerMonth,
    /// Decode speed of a device.
    pub tokens_per_second: TokensPerSecond,
    /// Power of a device while it answers.
    pub active_power: Watts,
    /// Memory of a device that a model may use.
    pub memory: Gigabytes,
}

/// The users' browsers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Browser {
    /// Size of the model.
    pub download: Gigabytes,
    /// Share of returning users whose browser has dropped the model.
    pub evicted: Share,
    /// Price of a gigabyte from the content network.
    pub cdn_usd_per_gb: UsdPerGigabyte,
    /// Share of requests that the browsers can answer; the rest goes to the cloud.
    pub coverage: Share,
    /// Updates, monitoring and support.
    pub lifecycle: UsdPerMonth,
    /// Decode speed of a tab.
    pub tokens_per_second: TokensPerSecond,
    /// Power of a device while its tab answers.
    pub active_power: Watts,
    /// Memory that a tab may use.
    pub memory: Gigabytes,
}

/// Edge servers with the cloud behind them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hybrid {
    /// Share of requests sent to the edge first.
    pub share: Share,
    /// Share of those that the edge hands on to the cloud.
    pub escalation: Share,
    /// The requests that may be sent to the cloud.
    pub routing: Routing,
}

/// Requirements on a deployment that is considered. A threshold of 0 is not checked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Whether data may leave.
    pub data: DataPolicy,
    /// Lowest quality allowed: the share of the task's tests that pass.
    pub min_quality: Share,
    /// Quality of the cloud's model.
    pub cloud_quality: Share,
    /// Quality of the local model.
    pub local_quality: Share,
    /// Weights of the model on edge servers and users' devices.
    pub weights: Gigabytes,
    /// Which latency the objective is about.
    pub slo_metric: SloMetric,
    /// Which percentile of it.
    pub slo_percentile: SloPercentile,
    /// Longest latency allowed.
    pub slo: Milliseconds,
    /// That latency of the cloud, where none was sampled; 0 is unknown.
    pub cloud_latency: Milliseconds,
    /// That latency of a local model, where none was sampled; 0 is unknown.
    pub local_latency: Milliseconds,
}

impl Scenario {
    /// The article's worked example: two million requests a month over three years, cloud against edge. Energy,
    /// failures, growth and discounting, which the article leaves out, are 0 here; the deployments it does not price have
    /// defaults of their own.
    pub fn seed_example() -> Self {
        Self::default()
    }

    /// The same with another volume.
    pub fn at_volume(&self, requests: RequestsPerMonth) -> Self {
        Self { demand: Demand { requests_per_month: requests, ..self.demand }, ..*self }
    }
}

impl Default for Demand {
    fn default() -> Self {
        Self {
            requests_per_month: RequestsPerMonth(2e6),
            growth_per_month: Share(0.0),
            input_tokens: Tokens(500.0),
            cached_tokens: Tokens(0.0),
            output_tokens: Tokens(200.0),
            requests_per_user: RequestsPerMonth(40.0),
            new_users: Share(0.2),
            peak_factor: Ratio(3.0),
        }
    }
}

impl Default for Finance {
    fn default() -> Self {
        Self {
            horizon: Months(36),
            hurdle_rate: Share(0.0),
            price_decline_per_year: Share(0.0),
            tariff: UsdPerKilowattHour(0.146),
            tax_rate: Share(0.25),
            book_life: Months(36),
        }
    }
}

impl Default for Cloud {
    fn default() -> Self {
        Self {
            price: PriceBasis::PerRequest,
            usd_per_request: UsdPerRequest(0.000_75),
            usd_per_million_input: UsdPerMillionTokens(0.035),
            usd_per_million_cached: UsdPerMillionTokens(0.035),
            usd_per_million_output: UsdPerMillionTokens(0.14),
            usd_per_second: UsdPerSecond(0.0005),
            seconds_per_request: Seconds(1.5),
            egress: EgressBasis::None,
            egress_share: Share(0.2),
            egress_usd_per_gb: UsdPerGigabyte(0.09),
            egress_bytes: Bytes(2_000.0),
        }
    }
}

impl Default for Engineering {
    fn default() -> Self {
        Self {
            basis: EngineeringBasis::LumpSum,
            lump_sum: Usd(8_000.0),
            weeks: Weeks(8.0),
            usd_per_week: UsdPerWeek(3_950.0),
        }
    }
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            fleet: FleetBasis::Fixed,
            capex: Usd(12_000.0),
            devices: Devices(20.0),
            device_price: Usd(600.0),
            lifecycle: UsdPerMonth(400.0),
            residual: Share(0.0),
            failures_per_year: Share(0.0),
            spares_confidence: Share(0.95),
            active_power: Watts(0.0),
            idle_power: Watts(0.0),
            tokens_per_second: TokensPerSecond(10.0),
            ttft: Seconds(0.0),
            utilisation_cap: Share(0.7),
            wait_limit: Seconds(5.0),
            wait_share: Share(0.05),
            memory: Gigabytes(8.0),
        }
    }
}

impl Default for OnDevice {
    fn default() -> Self {
        Self {
            usd_per_device: Usd(0.0),
            coverage: Share(0.8),
            lifecycle: UsdPerMonth(400.0),
            tokens_per_second: TokensPerSecond(10.0),
            active_power: Watts(15.0),
            memory: Gigabytes(8.0),
        }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            download: Gigabytes(0.7),
            evicted: Share(0.1),
            cdn_usd_per_gb: UsdPerGigabyte(0.085),
            coverage: Share(0.8),
            lifecycle: UsdPerMonth(400.0),
            tokens_per_second: TokensPerSecond(10.0),
            active_power: Watts(15.0),
            memory: Gigabytes(4.0),
        }
    }
}

impl Default for Hybrid {
    fn default() -> Self {
        Self { share: Share(0.713), escalation: Share(0.0), routing: Routing::AnyRequest }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            data: DataPolicy::Free,
            min_quality: Share(0.0),
            cloud_quality: Share(0.9),
            local_quality: Share(0.8),
            weights: Gigabytes(4.1),
            slo_metric: SloMetric::Ttft,
            slo_percentile: SloPercentile::P90,
            slo: Milliseconds(0.0),
            cloud_latency: Milliseconds(0.0),
            local_latency: Milliseconds(0.0),
        }
    }
}
