//! The options of inputs that are a choice, not a number.

use serde::{Deserialize, Serialize};

/// One option of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionInfo {
    /// Name in files and addresses.
    pub name: &'static str,
    /// Name on the page.
    pub label: &'static str,
    /// Meaning in one line.
    pub explanation: &'static str,
}

macro_rules! choice {
    ($doc:literal $name:ident { $($option:ident = $text:literal, $label:literal, $explanation:literal;)* }) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {$(
            #[doc = $explanation]
            $option,
        )*}

        impl $name {
            /// Every option, in order.
            pub const ALL: &'static [Self] = &[$(Self::$option),*];
            /// How each is named and explained, in the same order.
            pub const OPTIONS: &'static [OptionInfo] =
                &[$(OptionInfo { name: $text, label: $label, explanation: $explanation }),*];

            /// How this one is named and explained.
            pub fn info(self) -> OptionInfo {
                Self::OPTIONS[self as usize]
            }
        }
    };
}

choice! { "How the cloud charges." PriceBasis {
    PerRequest = "per_request", "Per request", "One price for every request.";
    PerToken = "per_token", "Per token", "Prices for a million tokens read, read from cache, and written.";
    PerSecond = "per_second", "Per second", "A price for each second that a request computes.";
} }

choice! { "How data leaving the cloud is charged." EgressBasis {
    None = "none", "None", "Nothing is charged: text is small.";
    ShareOfTotal = "share_of_total", "Share of the total", "Egress is this share of the whole invoice.";
    Surcharge = "surcharge", "Surcharge", "Egress comes on top, as this share of the requests' price.";
    PerGb = "per_gb", "Per gigabyte", "Egress is counted from the bytes of an answer.";
} }

choice! { "How many servers stand at the edge." FleetBasis {
    Fixed = "fixed", "As entered", "The hardware is what was entered, whatever the volume: capacity unverified.";
    Sized = "sized", "Sized to the load", "As many devices as the busiest month's peak needs at the measured speed.";
} }

choice! { "How engineering is estimated." EngineeringBasis {
    LumpSum = "lump_sum", "Lump sum", "One amount, spent before the start.";
    WeeksAtRate = "weeks_at_rate", "Weeks at a rate", "Engineer-weeks times a weekly rate.";
} }

choice! { "Whether data may leave." DataPolicy {
    Free = "free", "Free", "Data may be sent to a cloud.";
    AllowedWithAgreement = "allowed_with_agreement", "With an agreement",
        "Data may be sent to a cloud under a data-processing agreement.";
    Prohibited = "prohibited", "Prohibited", "Data may not leave the organisation or the user's device.";
} }

choice! { "What a hybrid sends to the cloud." Routing {
    AnyRequest = "any_request", "Any request", "Any request may be sent to the cloud.";
    RegulatedStays = "regulated_stays", "Regulated data stays",
        "Requests with regulated data are never sent to the cloud.";
} }

choice! { "Which latency the objective is about." SloMetric {
    Ttft = "ttft", "Time to first token", "From sending a request to its first token.";
    Itl = "itl", "Between tokens", "From one token to the next.";
    EndToEnd = "end_to_end", "Whole answer", "From sending a request to its last token.";
} }

choice! { "Which percentile of the latency the objective is about." SloPercentile {
    P50 = "p50", "P50", "Half of the samples are no slower.";
    P90 = "p90", "P90", "Nine in ten samples are no slower.";
    P95 = "p95", "P95", "Nineteen in twenty samples are no slower.";
    P99 = "p99", "P99", "Ninety-nine in a hundred samples are no slower.";
} }
