//! Inputs that are numbers: where each lies in a scenario, what it is called, and what it may be.

use super::error::InputError;
use super::group::Group;
use super::option::{EgressBasis, EngineeringBasis, FleetBasis, PriceBasis};
use super::scenario::Scenario;

/// One numeric input.
pub struct Field {
    /// Name in files, addresses and messages: `section.name`.
    pub key: &'static str,
    /// Name on the page.
    pub label: &'static str,
    /// Unit on the page; a `share` is a fraction, 0.25 for 25 %.
    pub unit: &'static str,
    /// Where it stands.
    pub group: Group,
    /// Smallest value allowed.
    pub min: f64,
    /// Largest value allowed.
    pub max: f64,
    /// Whether only whole numbers are allowed.
    pub whole: bool,
    /// Where a slider begins; a typed value may go down to `min`.
    pub slider_min: f64,
    /// Where a slider ends; a typed value may go up to `max`.
    pub slider_max: f64,
    /// Step of the slider; on a logarithmic one, in decades.
    pub step: f64,
    /// Whether the slider is logarithmic.
    pub log: bool,
    /// Reads it.
    pub get: fn(&Scenario) -> f64,
    /// Writes it, unchecked.
    pub set: fn(&mut Scenario, f64),
    /// Whether it changes anything in this scenario: a price per token does not where the cloud charges per request.
    pub relevant: fn(&Scenario) -> bool,
}

impl Field {
    /// The input of this key.
    pub fn of(key: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.key == key)
    }

    /// # Errors
    /// The value is out of range, not whole where it must be, or not a number.
    pub fn check(&self, value: f64) -> Result<(), InputError> {
        let Self { key, min, max, unit, .. } = *self;
        if !(min..=max).contains(&value) {
            return Err(InputError::OutOfRange { key, value, min, max, unit });
        }
        if self.whole && value.fract() != 0.0 {
            return Err(InputError::NotWhole { key, value, min, max, unit });
        }
        Ok(())
    }
}

/// Steps of a logarithmic slider, in decades: ten of them are a factor of 1.26.
const DECADES: f64 = 0.01;

macro_rules! fields {
    (@access $group:ident $name:ident whole) => {
        // Saturating: a value out of range is reported by `validate`, not wrapped.
        (|s| f64::from(s.$group.$name.0), |s, v| s.$group.$name.0 = v.round() as u32)
    };
    (@access $group:ident $name:ident real) => { (|s| s.$group.$name.0, |s, v| s.$group.$name.0 = v) };
    (@key on_device $name:ident) => { concat!("endpoint.", stringify!($name)) };
    (@key $group:ident $name:ident) => { concat!(stringify!($group), ".", stringify!($name)) };
    (@slider log $min:literal $max:literal) => { ($min, $max, DECADES, true) };
    (@slider by $step:literal $min:literal $max:literal) => { ($min, $max, $step, false) };
    ($($where:ident $group:ident.$name:ident $kind:ident $label:literal, $unit:literal,
       $min:literal to $max:literal, slider($($slider:tt)*), $relevant:expr;)*) => {
        &[$({
            const ACCESS: (fn(&Scenario) -> f64, fn(&mut Scenario, f64)) = fields!(@access $group $name $kind);
            const SLIDER: (f64, f64, f64, bool) = fields!(@slider $($slider)*);
            Field {
                key: fields!(@key $group $name),
                label: $label,
                unit: $unit,
                group: Group::$where,
                min: $min,
                max: $max,
                whole: matches!(stringify!($kind).as_bytes(), b"whole"),
                slider_min: SLIDER.0,
                slider_max: SLIDER.1,
                step: SLIDER.2,
                log: SLIDER.3,
                get: ACCESS.0,
                set: ACCESS.1,
                relevant: $relevant,
            }
        }),*]
    };
}

fn always(_: &Scenario) -> bool {
    true
}

fn per_token(s: &Scenario) -> bool {
    s.cloud.price == PriceBasis::PerToken
}

fn per_second(s: &Scenario) -> bool {
    s.cloud.price == PriceBasis::PerSecond
}

fn sized(s: &Scenario) -> bool {
    s.edge.fleet == FleetBasis::Sized
}

fn fixed(s: &Scenario) -> bool {
    s.edge.fleet == FleetBasis::Fixed
}

fn egress_share(s: &Scenario) -> bool {
    matches!(s.cloud.egress, EgressBasis::ShareOfTotal | EgressBasis::Surcharge)
}

fn egress_bytes(s: &Scenario) -> bool {
    s.cloud.egress == EgressBasis::PerGb
}

fn spares(s: &Scenario) -> bool {
    s.edge.failures_per_year.0 > 0.0
}

fn quality(s: &Scenario) -> bool {
    s.policy.min_quality.0 > 0.0
}

fn slo(s: &Scenario) -> bool {
    s.policy.slo.0 > 0.0
}

/// Every numeric input, in the order of the page. Ranges reach beyond what the comparison is about (a dollar a
/// request, ten billion requests a month, ten years); sliders cover what is common.
pub const FIELDS: &[Field] = fields! {
    Demand demand.requests_per_month real "Volume", "requests per month", 0.0 to 1e10, slider(log 1e3 1e8), always;
    Demand demand.growth_per_month real "Growth per month", "share", -0.5 to 1.0, slider(by 0.005 -0.1 0.2), always;
    Demand demand.input_tokens real "Tokens read", "tokens per request", 0.0 to 1e6, slider(by 10.0 0.0 8000.0), per_token;
    Demand demand.cached_tokens real "Tokens read from cache", "tokens per request", 0.0 to 1e6, slider(by 10.0 0.0 8000.0), per_token;
    Demand demand.output_tokens real "Tokens of an answer", "tokens per request", 1.0 to 1e5, slider(by 10.0 10.0 2000.0), always;
    Demand demand.requests_per_user real "Requests of a user", "requests per user and month", 0.01 to 1e6, slider(log 1.0 1e4), always;
    Demand demand.new_users real "New users", "share of a month's users", 0.0 to 1.0, slider(by 0.01 0.0 1.0), always;
    Demand demand.peak_factor real "Peak", "times the average", 1.0 to 100.0, slider(by 0.1 1.0 10.0), always;
    Finance finance.horizon whole "Horizon", "months", 1.0 to 120.0, slider(by 1.0 1.0 120.0), always;
    Finance finance.hurdle_rate real "Hurdle rate", "share per year", 0.0 to 1.0, slider(by 0.005 0.0 0.3), always;
    Finance finance.price_decline_per_year real "Cloud price decline", "share per year", -1.0 to 0.99, slider(by 0.01 -0.2 0.9), always;
    Finance finance.tariff real "Electricity", "$ per kWh", 0.0 to 10.0, slider(by 0.005 0.0 0.6), always;
    Finance finance.tax_rate real "Tax on profit", "share", 0.0 to 0.9, slider(by 0.01 0.0 0.5), always;
    Finance finance.book_life whole "Written off over", "months", 1.0 to 240.0, slider(by 1.0 12.0 120.0), always;
    Cloud cloud.usd_per_request real "Price of a request", "$ per request", 0.0 to 1.0, slider(log 1e-6 1e-1), |s| s.cloud.price == PriceBasis::PerRequest;
    Cloud cloud.usd_per_million_input real "Price of tokens read", "$ per million tokens", 0.0 to 1e4, slider(log 1e-3 1e2), per_token;
    Cloud cloud.usd_per_million_cached real "Price of tokens from cache", "$ per million tokens", 0.0 to 1e4, slider(log 1e-3 1e2), per_token;
    Cloud cloud.usd_per_million_output real "Price of tokens written", "$ per million tokens", 0.0 to 1e4, slider(log 1e-3 1e2), per_token;
    Cloud cloud.usd_per_second real "Price of compute", "$ per second", 0.0 to 1.0, slider(log 1e-6 1e-1), per_second;
    Cloud cloud.seconds_per_request real "Compute of a request", "seconds", 0.0 to 3600.0, slider(by 0.1 0.0 30.0), per_second;
    Cloud cloud.egress_share real "Egress share", "share", 0.0 to 0.9, slider(by 0.01 0.0 0.5), egress_share;
    Cloud cloud.egress_usd_per_gb real "Egress price", "$ per GB", 0.0 to 10.0, slider(by 0.005 0.0 0.2), egress_bytes;
    Cloud cloud.egress_bytes real "Size of an answer", "bytes per request", 0.0 to 1e10, slider(log 1e2 1e8), egress_bytes;
    Engineering engineering.lump_sum real "Engineering", "$ once", 0.0 to 1e9, slider(by 500.0 0.0 100_000.0), |s| s.engineering.basis == EngineeringBasis::LumpSum;
    Engineering engineering.weeks real "Engineer-weeks", "weeks", 0.0 to 1e5, slider(by 1.0 0.0 52.0), always;
    Engineering engineering.usd_per_week real "Cost of an engineer's week", "$ per week", 0.0 to 1e5, slider(by 50.0 0.0 10_000.0), |s| s.engineering.basis == EngineeringBasis::WeeksAtRate;
    Edge edge.capex real "Hardware", "$ once", 0.0 to 1e9, slider(by 500.0 0.0 100_000.0), fixed;
    Edge edge.devices real "Devices", "devices", 0.0 to 1e6, slider(by 1.0 0.0 500.0), |s| fixed(s) && (spares(s) || s.edge.idle_power.0 > 0.0);
    Edge edge.device_price real "Price of a device", "$ per device", 0.0 to 1e6, slider(log 10.0 1e5), sized;
    Edge edge.lifecycle real "Upkeep", "$ per month", 0.0 to 1e8, slider(by 50.0 0.0 5000.0), always;
    Edge edge.residual real "Residual value", "share of the price", 0.0 to 1.0, slider(by 0.01 0.0 0.5), always;
    Edge edge.failures_per_year real "Devices failing in a year", "share", 0.0 to 1.0, slider(by 0.005 0.0 0.2), always;
    Edge edge.spares_confidence real "Spares suffice with", "probability", 0.5 to 0.9999, slider(by 0.005 0.5 0.995), spares;
    Edge edge.active_power real "Power while answering", "W per device", 0.0 to 1e4, slider(by 1.0 0.0 500.0), always;
    Edge edge.idle_power real "Power while waiting", "W per device", 0.0 to 1e4, slider(by 1.0 0.0 200.0), always;
    Edge edge.tokens_per_second real "Decode speed", "tokens per second", 0.01 to 1e5, slider(log 1.0 1e3), always;
    Edge edge.ttft real "Time to first token", "seconds", 0.0 to 600.0, slider(by 0.05 0.0 10.0), always;
    Edge edge.utilisation_cap real "Utilisation cap", "share", 0.05 to 1.0, slider(by 0.01 0.3 1.0), always;
    Edge edge.wait_limit real "Longest wait", "seconds", 0.0 to 3600.0, slider(by 0.5 0.0 30.0), sized;
    Edge edge.wait_share real "May wait longer", "share of requests", 0.0 to 1.0, slider(by 0.005 0.0 0.5), sized;
    Edge edge.memory real "Memory of a device", "GB", 0.0 to 1e5, slider(by 0.5 0.0 128.0), always;
    OnDevice on_device.usd_per_device real "Attributed cost of a device", "$ per device", 0.0 to 1e5, slider(by 1.0 0.0 500.0), always;
    OnDevice on_device.coverage real "Requests they can answer", "share", 0.0 to 1.0, slider(by 0.01 0.0 1.0), always;
    OnDevice on_device.lifecycle real "Upkeep", "$ per month", 0.0 to 1e8, slider(by 50.0 0.0 5000.0), always;
    OnDevice on_device.tokens_per_second real "Decode speed", "tokens per second", 0.01 to 1e5, slider(log 1.0 1e3), always;
    OnDevice on_device.active_power real "Power while answering", "W", 0.0 to 1e4, slider(by 1.0 0.0 200.0), always;
    OnDevice on_device.memory real "Memory of a device", "GB", 0.0 to 1e5, slider(by 0.5 0.0 128.0), always;
    Browser browser.download real "Model download", "GB", 0.0 to 1e3, slider(log 1e-2 10.0), always;
    Browser browser.evicted real "Returning users without it", "share", 0.0 to 1.0, slider(by 0.01 0.0 1.0), always;
    Browser browser.cdn_usd_per_gb real "Price of downloads", "$ per GB", 0.0 to 10.0, slider(by 0.001 0.0 0.2), always;
    Browser browser.coverage real "Requests they can answer", "share", 0.0 to 1.0, slider(by 0.01 0.0 1.0), always;
    Browser browser.lifecycle real "Upkeep", "$ per month", 0.0 to 1e8, slider(by 50.0 0.0 5000.0), always;
    Browser browser.tokens_per_second real "Decode speed of a tab", "tokens per second", 0.01 to 1e5, slider(log 1.0 1e3), always;
    Browser browser.active_power real "Power while answering", "W", 0.0 to 1e4, slider(by 1.0 0.0 200.0), always;
    Browser browser.memory real "Memory of a tab", "GB", 0.0 to 1e5, slider(by 0.5 0.0 64.0), always;
    Hybrid hybrid.share real "Sent to the edge first", "share", 0.0 to 1.0, slider(by 0.01 0.0 1.0), always;
    Hybrid hybrid.escalation real "Handed on to the cloud", "share of those", 0.0 to 1.0, slider(by 0.01 0.0 1.0), always;
    Policy policy.min_quality real "Lowest quality", "share of tests passed", 0.0 to 1.0, slider(by 0.01 0.0 1.0), always;
    Policy policy.cloud_quality real "Quality of the cloud's model", "share of tests passed", 0.0 to 1.0, slider(by 0.01 0.0 1.0), quality;
    Policy policy.local_quality real "Quality of the local model", "share of tests passed", 0.0 to 1.0, slider(by 0.01 0.0 1.0), quality;
    Policy policy.weights real "Weights on servers and devices", "GB", 0.0 to 1e4, slider(by 0.1 0.0 40.0), always;
    Policy policy.slo real "Longest latency", "ms", 0.0 to 1e6, slider(by 10.0 0.0 5000.0), always;
    Policy policy.cloud_latency real "Latency of the cloud", "ms", 0.0 to 1e6, slider(by 10.0 0.0 5000.0), slo;
    Policy policy.local_latency real "Latency of a local model", "ms", 0.0 to 1e6, slider(by 10.0 0.0 5000.0), slo;
};

impl Scenario {
    /// # Errors
    /// Every input out of its range, all at once.
    pub fn validate(&self) -> Result<(), Vec<InputError>> {
        let errors: Vec<InputError> =
            FIELDS.iter().filter_map(|field| field.check((field.get)(self)).err()).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}
