//! The inputs: what a visitor may say about their case, each with its unit and range.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::units::{Months, RequestsPerMonth, Usd, UsdPerMonth, UsdPerRequest};

/// One case to price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the cloud charges for a request.
    pub usd_per_request: UsdPerRequest,
    /// Requests in a month, the same every month.
    pub requests_per_month: RequestsPerMonth,
    /// How long the comparison runs.
    pub horizon: Months,
    /// Hardware, bought at the start.
    pub capex: Usd,
    /// Updates, monitoring and support of the hardware.
    pub lifecycle: UsdPerMonth,
    /// Engineering, once, at the start.
    pub engineering: Usd,
}

/// One input: where it lies in a scenario, what it is called, and what it may be.
pub struct Field {
    /// Name in files, addresses and messages.
    pub key: &'static str,
    /// Name on the page.
    pub label: &'static str,
    /// Unit on the page.
    pub unit: &'static str,
    /// Smallest value allowed.
    pub min: f64,
    /// Largest value allowed.
    pub max: f64,
    /// Where a slider ends; a typed value may go up to `max`.
    pub slider_max: f64,
    /// Step of the slider.
    pub step: f64,
    /// Reads it.
    pub get: fn(&Scenario) -> f64,
    /// Writes it, unchecked.
    pub set: fn(&mut Scenario, f64),
}

/// Every input, in the order of the page. Ranges: a request price above one dollar, ten billion requests a
/// month or ten years are beyond what the comparison is about.
pub const FIELDS: [Field; 6] = [
    Field {
        key: "usd_per_request",
        label: "Cloud price",
        unit: "$ per request",
        min: 0.0,
        max: 1.0,
        slider_max: 0.002,
        step: 0.000_01,
        get: |s| s.usd_per_request.0,
        set: |s, v| s.usd_per_request.0 = v,
    },
    Field {
        key: "requests_per_month",
        label: "Volume",
        unit: "requests per month",
        min: 0.0,
        max: 1e10,
        slider_max: 1e7,
        step: 10_000.0,
        get: |s| s.requests_per_month.0,
        set: |s, v| s.requests_per_month.0 = v,
    },
    Field {
        key: "horizon",
        label: "Horizon",
        unit: "months",
        min: 1.0,
        max: 120.0,
        slider_max: 120.0,
        step: 1.0,
        get: |s| f64::from(s.horizon.0),
        // Saturating: a value out of range is reported by `validate`, not wrapped.
        set: |s, v| s.horizon.0 = v.round() as u32,
    },
    Field {
        key: "capex",
        label: "Hardware",
        unit: "$ once",
        min: 0.0,
        max: 1e9,
        slider_max: 100_000.0,
        step: 500.0,
        get: |s| s.capex.0,
        set: |s, v| s.capex.0 = v,
    },
    Field {
        key: "lifecycle",
        label: "Upkeep",
        unit: "$ per month",
        min: 0.0,
        max: 1e8,
        slider_max: 5_000.0,
        step: 50.0,
        get: |s| s.lifecycle.0,
        set: |s, v| s.lifecycle.0 = v,
    },
    Field {
        key: "engineering",
        label: "Engineering",
        unit: "$ once",
        min: 0.0,
        max: 1e9,
        slider_max: 100_000.0,
        step: 500.0,
        get: |s| s.engineering.0,
        set: |s, v| s.engineering.0 = v,
    },
];

/// An input out of its range.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{key} is {value}; it must be a number from {min} to {max} ({unit})")]
pub struct InputError {
    /// Which input.
    pub key: &'static str,
    /// What was given.
    pub value: f64,
    /// Smallest value allowed.
    pub min: f64,
    /// Largest value allowed.
    pub max: f64,
    /// Its unit.
    pub unit: &'static str,
}

impl Scenario {
    /// The article's worked example: two million requests a month over three years.
    pub fn seed_example() -> Self {
        Self {
            usd_per_request: UsdPerRequest(0.000_75),
            requests_per_month: RequestsPerMonth(2e6),
            horizon: Months(36),
            capex: Usd(12_000.0),
            lifecycle: UsdPerMonth(400.0),
            engineering: Usd(8_000.0),
        }
    }

    /// # Errors
    /// Every input out of its range, all at once.
    pub fn validate(&self) -> Result<(), Vec<InputError>> {
        let errors: Vec<InputError> =
            FIELDS.iter().filter_map(|field| field.check((field.get)(self)).err()).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

impl Field {
    /// # Errors
    /// The value is out of range, or not a number.
    pub fn check(&self, value: f64) -> Result<(), InputError> {
        if (self.min..=self.max).contains(&value) {
            return Ok(());
        }
        let Self { key, min, max, unit, .. } = *self;
        Err(InputError { key, value, min, max, unit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bad_inputs_are_named_at_once() {
        let scenario = Scenario {
            usd_per_request: UsdPerRequest(-1.0),
            horizon: Months(0),
            capex: Usd(f64::NAN),
            ..Scenario::seed_example()
        };
        let errors = scenario.validate().unwrap_err();
        assert_eq!(errors.iter().map(|e| e.key).collect::<Vec<_>>(), ["usd_per_request", "horizon", "capex"]);
        assert_eq!(errors[1].to_string(), "horizon is 0; it must be a number from 1 to 120 (months)");
    }

    #[test]
    fn every_field_reads_what_it_wrote_and_holds_its_default() {
        for field in &FIELDS {
            let mut scenario = Scenario::seed_example();
            assert!(field.check((field.get)(&scenario)).is_ok());
            (field.set)(&mut scenario, field.max);
            assert_eq!((field.get)(&scenario), field.max, "{}", field.key);
        }
    }
}
