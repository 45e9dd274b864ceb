//! Which lines stand on each deployment's bill, and which inputs each is made from.

use super::fleet::Fleet;
use super::flow::Flow;
use super::line::{Keys, Line, Payer};
use super::price::{
    HOURS_PER_MONTH, download_share, energy_per_request, engineering_cost, peak_growth, request_price, users,
};
use crate::deployment::Deployment;
use crate::input::{EgressBasis, PriceBasis, Scenario};
use crate::units::{Usd, UsdPerMonth};

/// Every line of a deployment, those of nothing included.
pub(crate) fn lines(s: &Scenario, d: Deployment, fleet: &Fleet, add: &mut impl FnMut(Line)) {
    match d {
        Deployment::Cloud => cloud(s, 1.0, &[], add),
        Deployment::Edge => edge(s, 1.0, &[], fleet, add),
        Deployment::OnDevice => {
            on_device(s, add);
            cloud(s, 1.0 - s.on_device.coverage.0, &["endpoint.coverage"], add);
        }
        Deployment::Browser => {
            browser(s, add);
            cloud(s, 1.0 - s.browser.coverage.0, &["browser.coverage"], add);
        }
        // A request that the edge hands on is answered twice, and paid twice.
        Deployment::Hybrid => {
            edge(s, s.hybrid.share.0, &["hybrid.share"], fleet, add);
            let kept = s.hybrid.share.0 * (1.0 - s.hybrid.escalation.0);
            cloud(s, 1.0 - kept, &["hybrid.share", "hybrid.escalation"], add);
        }
    }
}

const VOLUME: &str = "demand.requests_per_month";

fn operator(label: &'static str, flow: Flow, inputs: &'static [&'static str]) -> Line {
    Line { label, flow, inputs: Keys([inputs, &[], &[]]), payer: Payer::Operator }
}

/// Price and egress of the share of requests that the cloud answers.
fn cloud(s: &Scenario, share: f64, own: &'static [&'static str], add: &mut impl FnMut(Line)) {
    let c = &s.cloud;
    let requests = share * s.demand.requests_per_month.0;
    let paid = request_price(s).0 * requests;
    let (label, egress_label) = if own.is_empty() {
        ("Cloud requests", "Cloud egress")
    } else {
        ("Requests left to the cloud", "Egress of requests left to the cloud")
    };
    let price = price_keys(c.price);
    let line = |label, flow, keys, more: &'static [&'static str]| Line {
        label,
        flow,
        inputs: Keys([keys, more, own]),
        payer: Payer::Operator,
    };
    add(line(label, Flow::ByVolumeAndPrice(UsdPerMonth(paid)), price, &[]));
    let e = c.egress_share.0;
    let egress = match c.egress {
        EgressBasis::None => return,
        EgressBasis::ShareOfTotal => paid * e / (1.0 - e),
        EgressBasis::Surcharge => paid * e,
        EgressBasis::PerGb => {
            let egress = UsdPerMonth(requests * c.egress_bytes.0 / 1e9 * c.egress_usd_per_gb.0);
            let keys = &[VOLUME, "cloud.egress_bytes", "cloud.egress_usd_per_gb"];
            return add(line(egress_label, Flow::ByVolume(egress), keys, &[]));
        }
    };
    let egress = Flow::ByVolumeAndPrice(UsdPerMonth(egress));
    add(line(egress_label, egress, price, &["cloud.egress", "cloud.egress_share"]));
}

fn price_keys(basis: PriceBasis) -> &'static [&'static str] {
    match basis {
        PriceBasis::PerRequest => &[VOLUME, "cloud.usd_per_request"],
        PriceBasis::PerToken => &[
            VOLUME,
            "demand.input_tokens",
            "demand.cached_tokens",
            "demand.output_tokens",
            "cloud.usd_per_million_input",
            "cloud.usd_per_million_cached",
            "cloud.usd_per_million_output",
        ],
        PriceBasis::PerSecond => &[VOLUME, "cloud.usd_per_second", "cloud.seconds_per_request"],
    }
}

const ENGINEERING: &[&str] =
    &["engineering.basis", "engineering.lump_sum", "engineering.weeks", "engineering.usd_per_week"];

/// Hardware, spares, engineering, maintenance and energy of servers that see a share of all requests; `own` are the
/// keys of that share.
fn edge(s: &Scenario, share: f64, own: &'static [&'static str], fleet: &Fleet, add: &mut impl FnMut(Line)) {
    let e = &s.edge;
    let hardware = fleet.hardware;
    let line = |label, flow, keys, counted: &'static [&'static str], own| Line {
        label,
        flow,
        inputs: Keys([keys, counted, own]),
        payer: Payer::Operator,
    };
    let inputs = fleet.inputs();
    let counted = fleet.count_inputs();
    let routed = fleet.share_inputs(own);
    add(line("Hardware", Flow::Upfront(hardware), &[], inputs, routed));
    let keys = &["edge.failures_per_year", "edge.spares_confidence", "finance.horizon"];
    add(line("Spares", Flow::Upfront(fleet.spares_cost), keys, counted, routed));
    add(operator("Engineering", Flow::Upfront(engineering_cost(s)), ENGINEERING));
    add(operator("Upkeep", Flow::Monthly(e.lifecycle), &["edge.lifecycle"]));
    let requests = share * s.demand.requests_per_month.0;
    let answering = energy_per_request(s, e.active_power.0, e.tokens_per_second.0).0 * requests;
    let keys =
        &[VOLUME, "demand.output_tokens", "edge.active_power", "edge.tokens_per_second", "finance.tariff"];
    add(line("Energy while answering", Flow::ByVolume(UsdPerMonth(answering)), keys, &[], own));
    let waiting = fleet.devices.0 * e.idle_power.0 * HOURS_PER_MONTH / 1e3 * s.finance.tariff.0;
    let keys = &["edge.idle_power", "finance.tariff"];
    add(line("Energy while waiting", Flow::Monthly(UsdPerMonth(waiting)), keys, counted, routed));
    let residual = Flow::AtHorizon(Usd(-e.residual.0 * hardware.0));
    add(line("Residual value", residual, &["edge.residual"], inputs, routed));
}

/// Costs that both kinds of users' machines bring the operator, and the users for electricity.
struct Local {
    downloads: f64,
    gigabytes: f64,
    maintenance: UsdPerMonth,
    answered: f64,
    watts: f64,
    tokens_per_second: f64,
    download_keys: &'static [&'static str],
    maintenance_keys: &'static [&'static str],
    energy_keys: &'static [&'static str],
}

impl Local {
    fn lines(&self, s: &Scenario, add: &mut impl FnMut(Line)) {
        add(operator("Engineering", Flow::Upfront(engineering_cost(s)), ENGINEERING));
        add(operator("Upkeep", Flow::Monthly(self.maintenance), self.maintenance_keys));
        let fetched = self.downloads * self.gigabytes * s.browser.cdn_usd_per_gb.0;
        add(operator("Model downloads", Flow::ByVolume(UsdPerMonth(fetched)), self.download_keys));
        let requests = self.answered * s.demand.requests_per_month.0;
        let energy = energy_per_request(s, self.watts, self.tokens_per_second).0 * requests;
        let energy = operator("Users' electricity", Flow::ByVolume(UsdPerMonth(energy)), self.energy_keys);
        add(Line { payer: Payer::Users, ..energy });
    }
}

/// Devices of the users: the attributed share of each, and the model once for every new user.
fn on_device(s: &Scenario, add: &mut impl FnMut(Line)) {
    let e = &s.on_device;
    let devices = users(s) * peak_growth(s) * e.usd_per_device.0;
    let keys = &[
        VOLUME,
        "demand.growth_per_month",
        "finance.horizon",
        "demand.requests_per_user",
        "endpoint.usd_per_device",
    ];
    add(operator("Attributed cost of devices", Flow::Upfront(Usd(devices)), keys));
    let local = Local {
        downloads: users(s) * download_share(s, 0.0),
        gigabytes: s.policy.weights.0,
        maintenance: e.lifecycle,
        answered: e.coverage.0,
        watts: e.active_power.0,
        tokens_per_second: e.tokens_per_second.0,
        download_keys: &[
            VOLUME,
            "demand.requests_per_user",
            "demand.new_users",
            "policy.weights",
            "browser.cdn_usd_per_gb",
        ],
        maintenance_keys: &["endpoint.lifecycle"],
        energy_keys: &[
            VOLUME,
            "endpoint.coverage",
            "demand.output_tokens",
            "endpoint.active_power",
            "endpoint.tokens_per_second",
            "finance.tariff",
        ],
    };
    local.lines(s, add);
}

/// No hardware; the model for every new user and for everyone whose browser dropped it.
fn browser(s: &Scenario, add: &mut impl FnMut(Line)) {
    let b = &s.browser;
    let local = Local {
        downloads: users(s) * download_share(s, b.evicted.0),
        gigabytes: b.download.0,
        maintenance: b.lifecycle,
        answered: b.coverage.0,
        watts: b.active_power.0,
        tokens_per_second: b.tokens_per_second.0,
        download_keys: &[
            VOLUME,
            "demand.requests_per_user",
            "demand.new_users",
            "browser.evicted",
            "browser.download",
            "browser.cdn_usd_per_gb",
        ],
        maintenance_keys: &["browser.lifecycle"],
        energy_keys: &[
            VOLUME,
            "browser.coverage",
            "demand.output_tokens",
            "browser.active_power",
            "browser.tokens_per_second",
            "finance.tariff",
        ],
    };
    local.lines(s, add);
}
