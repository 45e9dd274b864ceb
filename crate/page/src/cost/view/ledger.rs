//! The assumptions ledger: where every input comes from, and the way from a figure to its inputs.

use economics::{ChoiceEntry, Entry, FIELDS, Field, Figure, Kind, SetBy};
use leptos::prelude::*;
use web_sys::Event;

use crate::cost::model::entries::{entry, unit};
use crate::cost::state::cost::Cost;
use crate::shared::clock::after_first_paint;
use crate::shared::parts::opened;

/// The ledger, and what is wrong with the article.
pub(crate) fn ledger(cost: Cost) -> impl IntoView {
    let own = move || {
        cost.case().ledger.with(|ledger| {
            ledger.entries().iter().filter(|e| matches!(e.set_by, SetBy::Visitor | SetBy::Device)).count()
        })
    };
    let open = RwSignal::new(false);
    view! {
        <h3 id="ledger-title">"Assumptions"</h3>
        <p class="muted small">
            "Every figure above is worked out from these entries and nothing else. " {FIELDS.len()} " numbers, "
            {move || own()} " of them yours or measured here. An entry is changed in the form; its range is what the \
             trials and the tornado use."
        </p>
        <details data-testid="ledger" id="ledger" on:toggle=opened(open)>
            <summary>"Every entry with its range, source and date"</summary>
            {move || open.get().then(|| table(cost))}
        </details>
        {defects()}
    }
}

fn table(cost: Cost) -> impl IntoView {
    let rows = move || {
        cost.case().ledger.with(|ledger| {
            let choices = ledger.choices().iter().map(choice_row).collect_view();
            (choices, ledger.entries().iter().map(row).collect_view())
        })
    };
    view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table: assumptions">
                <table class="ledger">
                    <thead>
                        <tr>
                            <th scope="col">"Entry"</th>
                            <th scope="col">"Value"</th>
                            <th scope="col">"Range"</th>
                            <th scope="col" class="words">"Kind"</th>
                            <th scope="col" class="words">"Source"</th>
                            <th scope="col" class="words">"Date"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
    }
}

fn row(e: &Entry) -> impl IntoView + use<> {
    let Figure { value, low, high, source, retrieved, .. } = &e.assumption.figure;
    let range = if low == high {
        "exact".to_owned()
    } else {
        format!("{} to {}", entry(e.field, *low), entry(e.field, *high))
    };
    let (kind, source, date) = provenance(e.set_by, e.assumption.figure.kind, source, retrieved);
    view! {
        <tr id=anchor(e.field.key) data-testid=anchor(e.field.key)>
            <th scope="row">{e.field.group.label()} ": " {e.field.label}</th>
            <td>{entry(e.field, *value)} " " <span class="unit">{unit(e.field)}</span></td>
            <td>{range}</td>
            <td class="words">{kind_mark(e.set_by, e.assumption.figure.kind)} {kind}</td>
            <td class="words">{source}</td>
            <td class="words">{date}</td>
        </tr>
    }
}

fn choice_row(e: &ChoiceEntry) -> impl IntoView + use<> {
    let selected = e.choice.options.iter().find(|option| option.name == e.selection.option);
    let (kind, source, date) =
        provenance(e.set_by, e.selection.kind, &e.selection.source, &e.selection.retrieved);
    view! {
        <tr id=anchor(e.choice.key)>
            <th scope="row">{e.choice.group.label()} ": " {e.choice.label}</th>
            <td>{selected.map(|option| option.label)}</td>
            <td>"a choice"</td>
            <td class="words">{kind_mark(e.set_by, e.selection.kind)} {kind}</td>
            <td class="words">{source}</td>
            <td class="words">{date}</td>
        </tr>
    }
}

/// Kind, source and date in words. A visitor's own value has neither source nor date but theirs; what it replaced is
/// still told.
fn provenance(set_by: SetBy, kind: Kind, source: &str, date: &str) -> (&'static str, String, String) {
    let kind = match (set_by, kind) {
        (SetBy::Visitor, _) => {
            return ("yours", format!("you entered it; before: {source}"), "today".to_owned());
        }
        (SetBy::Device, _) => "here",
        (_, Kind::Measured) => "by this project",
        (_, Kind::Cited) => "",
        (_, Kind::Assumed) => "",
        (_, Kind::SeedClaim) => "article’s claim, unverified",
    };
    (kind, source.to_owned(), date.to_owned())
}

/// The mark that stands beside an input.
fn kind_mark(set_by: SetBy, kind: Kind) -> impl IntoView {
    let (class, word) = match (set_by, kind) {
        (SetBy::Device, _) | (SetBy::Preset | SetBy::Defaults, Kind::Measured) => {
            ("origin origin-measured", "measured")
        }
        (SetBy::Visitor, _) => ("origin origin-assumed", "assumed"),
        (_, Kind::Cited) => ("origin origin-cited", "cited"),
        (_, Kind::Assumed) => ("origin origin-assumed", "assumed"),
        (_, Kind::SeedClaim) => ("origin origin-cited", "claim"),
    };
    view! { <span class=class>{word}</span> }
}

/// Who says an entry and when, one tap away from it in the form.
pub(super) fn origin_of(cost: Cost, key: &'static str) -> impl IntoView {
    // The value itself stands in the form: as long as nothing else changes, what is open stays open.
    let said = Memo::new(move |_| {
        cost.case().ledger.with(|ledger| {
            let e = ledger.entry(key)?;
            let Figure { kind, source, retrieved, .. } = &e.assumption.figure;
            Some((e.set_by, *kind, source.clone(), retrieved.clone()))
        })
    });
    let range = move || {
        cost.case().ledger.with(|ledger| {
            let e = ledger.entry(key)?;
            Some(format!(
                "{} to {}",
                entry(e.field, e.assumption.figure.low),
                entry(e.field, e.assumption.figure.high)
            ))
        })
    };
    move || {
        said.get().map(|(set_by, kind, source, retrieved)| {
            let (words, source, date) = provenance(set_by, kind, &source, &retrieved);
            view! {
                <details class="source">
                    <summary>{kind_mark(set_by, kind)} " " {words}</summary>
                    <p class="small">{source} " (" {date} "). Worth considering: " {range} "."</p>
                </details>
            }
        })
    }
}

/// The way from a figure to the inputs it is worked out from.
pub(crate) fn trace(keys: Vec<&'static str>) -> impl IntoView {
    let open = RwSignal::new(false);
    let count = crate::shared::format::counted(keys.len() as u32, "entry", "entries");
    view! {
        <details class="trace" on:toggle=opened(open)>
            <summary>"from " {count}</summary>
            {move || open.get().then(|| view! { <ul>{keys.iter().filter_map(|key| link(key)).collect_view()}</ul> })}
        </details>
    }
}

/// To an input in the ledger.
fn link(key: &'static str) -> Option<impl IntoView> {
    let choice = || economics::CHOICES.iter().find(|choice| choice.key == key).map(|choice| choice.label);
    let label = Field::of(key).map(|field| field.label).or_else(choice)?;
    let go = move |event: Event| {
        event.prevent_default();
        go_to(key);
    };
    Some(
        view! { <li><a href=format!("#{}", anchor(key)) on:click=move |event| go(event.into())>{label}</a></li> },
    )
}

/// Opens the ledger at an entry: its rows are made only once it is open.
fn go_to(key: &'static str) {
    if let Some(ledger) = document().get_element_by_id("ledger") {
        ledger.set_attribute("open", "").ok();
    }
    after_first_paint(move || {
        window().location().set_hash(&anchor(key)).ok();
    });
}

fn anchor(key: &str) -> String {
    format!("assumption-{}", key.replace(['.', '_'], "-"))
}

/// Where the source article is wrong, and what is done about it.
fn defects() -> impl IntoView {
    let found = economics::seed_discrepancy();
    view! {
        <details data-testid="discrepancy">
            <summary>
                {format!(
                    "Where the article behind the first example is wrong: it says {} where its formula gives {}, and 20 more",
                    economics::share(found.article),
                    economics::share(found.formula)
                )}
            </summary>
            <p class="small">{found.note}</p>
            <div class="scroll" tabindex="0" role="region" aria-label="Table: defects of the article">
                <table class="ledger">
                    <thead>
                        <tr>
                            <th scope="col">"No."</th>
                            <th scope="col" class="words">"The article says"</th>
                            <th scope="col" class="words">"A check finds"</th>
                            <th scope="col" class="words">"Done here"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {economics::article_defects().into_iter().map(|defect| view! {
                            <tr>
                                <th scope="row">{defect.id}</th>
                                <td class="words">{defect.claim}</td>
                                <td class="words">{defect.finding}</td>
                                <td class="words">{defect.action}</td>
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </div>
        </details>
    }
}
