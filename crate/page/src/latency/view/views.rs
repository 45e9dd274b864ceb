//! The distributions as drawings.

use latency::export::Imported;
use latency::stats::{self, Series, Summary};
use leptos::prelude::*;

use crate::app::App;
use crate::charts::chart::{Shown, chart};
use crate::charts::drawings::Role;
use crate::latency::model::distribution::{Draw, Side, cumulative, histogram};
use crate::shared::parts::opened;

/// Which metric is drawn.
#[derive(Clone, Copy, PartialEq)]
enum Metric {
    First,
    Between,
    Whole,
}

impl Metric {
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::First, "ttft", "Time to first token"),
        (Self::Between, "inter-token", "Time between tokens"),
        (Self::Whole, "end-to-end", "Time to the end of the answer"),
    ];

    fn label(self) -> &'static str {
        Self::ALL.into_iter().find(|(metric, ..)| *metric == self).map_or("", |(_, _, label)| label)
    }

    fn of<O: stats::Origin>(self, summary: &Summary<O>) -> &Series<O> {
        match self {
            Self::First => &summary.ttft,
            Self::Between => &summary.inter_token,
            Self::Whole => &summary.end_to_end,
        }
    }
}

/// Both drawings, of the metric that is chosen.
pub(super) fn views(app: App) -> impl IntoView {
    let metric = RwSignal::new(Metric::First);
    let open = RwSignal::new(false);
    let sides = Memo::new(move |_| sides(app, metric.get()));
    let drawn = move |make: Draw| Memo::new(move |_| make(metric.get().label(), &sides.get()));
    let sentence = move |what: &'static str| {
        Memo::new(move |_| {
            let names: Vec<_> = sides.get().into_iter().map(|side| side.label).collect();
            match names.is_empty() {
                true => "Nothing is measured or simulated yet.".to_owned(),
                false => format!("{}: {what}. {}.", metric.get().label(), names.join("; ")),
            }
        })
    };
    let shown = move |testid, title, what, make: Draw| {
        let both = drawn(make);
        Shown {
            testid,
            title,
            sentence: sentence(what),
            chart: Memo::new(move |_| both.get().map(|(chart, _)| chart)),
            table: Memo::new(move |_| both.get().map(|(_, table)| table)),
        }
    };
    view! {
        <fieldset class="choices" data-testid="latency-metric">
            <legend>"Distribution of"</legend>
            {Metric::ALL.map(|(one, key, label)| view! {
                <label class="choice">
                    <input type="radio" name="latency-metric" data-testid=format!("metric-of-{key}") prop:checked=move || metric.get() == one on:change=move |_| metric.set(one) />
                    <span>{label}</span>
                </label>
            })}
        </fieldset>
        {chart(app.charts, shown("chart-cdf", "How many answers within a time", "the share of answers within each time", cumulative))}
        <details data-testid="histogram" on:toggle=opened(open)>
            <summary>"The same as a histogram"</summary>
            {move || open.get().then(|| chart(app.charts, shown("chart-histogram", "How times spread", "the share of answers in each span of time", histogram)))}
        </details>
    }
}

fn sides(app: App, metric: Metric) -> Vec<Side> {
    let latency = app.latency;
    let here =
        latency.here.with(|here| Side::of("This device, measured", Role::Browser, metric.of(here.as_ref()?)));
    let cloud = latency
        .cloud
        .with(|cloud| Side::of("Cloud, simulated", Role::Cloud, metric.of(&cloud.as_ref()?.summary)));
    let other = latency.other.with(|other| match &**other.as_ref()? {
        Imported::Measured(export) => {
            Side::of("Imported, measured", Role::Endpoint, metric.of(&export.summary()))
        }
        Imported::Simulated(export) => {
            Side::of("Imported, simulated", Role::Endpoint, metric.of(&export.summary()))
        }
    });
    [here, cloud, other].into_iter().flatten().collect()
}
