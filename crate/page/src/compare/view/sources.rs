//! Evidence for the chosen cloud: each figure with unit, range, kind and date, and the sources.

use latency::{Figure, Kind};
use leptos::prelude::*;

use crate::compare::state::comparison::Race;
use crate::shared::format;
use crate::shared::parts::opened;

/// The disclosure.
pub(crate) fn sources(race: Race) -> impl IntoView {
    let open = RwSignal::new(false);
    let inside = move || {
        let service = race.service.get().ok()?;
        let sources =
            service.sources().iter().cloned().map(|source| view! { <li>{source}</li> }).collect_view();
        let figures = service.figures().iter().map(row).collect_view();
        let any = !service.figures().is_empty();
        Some(view! {
            <ul class="sources small">{sources}</ul>
            {any.then(|| view! {
                <div class="scroll" tabindex="0" role="region" aria-label="Table: figures of this preset">
                    <table class="small" data-testid="cloud-figures">
                        <thead>
                            <tr>
                                <th scope="col">"Figure"</th>
                                <th scope="col">"Value"</th>
                                <th scope="col">"Plausible range"</th>
                                <th scope="col">"Kind"</th>
                                <th scope="col">"Looked up"</th>
                            </tr>
                        </thead>
                        <tbody>{figures}</tbody>
                    </table>
                </div>
            })}
        })
    };
    view! {
        <details data-testid="cloud-sources" on:toggle=opened(open)>
            <summary>"Figures and sources of this preset"</summary>
            {move || open.get().then(inside)}
        </details>
    }
}

fn row(figure: &Figure) -> impl IntoView + use<> {
    let Figure { key, value, unit, low, high, retrieved, kind, source } = figure;
    let (class, word) = match kind {
        Kind::Measured => ("origin origin-measured", "measured by us"),
        Kind::Cited => ("origin origin-cited", "cited"),
        Kind::Assumed => ("origin origin-assumed", "assumed"),
        Kind::SeedClaim => ("origin origin-cited", "the article’s claim"),
    };
    let plain = format::plain;
    view! {
        <tr title=source.clone()>
            <th scope="row">{key.replace(['.', '_'], " ")}</th>
            <td class="num">{format!("{} {unit}", plain(*value))}</td>
            <td class="num">{format!("{} to {}", plain(*low), plain(*high))}</td>
            <td><span class=class>{word}</span></td>
            <td class="num">{retrieved.clone()}</td>
        </tr>
    }
}
