//! The cost form: made from the fields that `economics` declares, each with slider, entry, unit and source.

use economics::{Assumption, FIELDS, Field, Kind};
use leptos::prelude::*;

use super::parts::icon;
use crate::costing;
use crate::state::Cost;

/// The form.
pub(crate) fn cost_form(cost: Cost) -> impl IntoView {
    let sources = economics::seed_assumptions();
    let fields: &'static [Field] = &FIELDS;
    view! {
        <form class="card cost-form" aria-labelledby="cost-form-title" on:submit=|event| event.prevent_default()>
            <div class="form-head">
                <h3 id="cost-form-title">"Your figures"</h3>
                <button type="button" class="quiet" data-testid="cost-reset" on:click=move |_| cost.reset()>
                    {icon("again")} "Article’s example"
                </button>
            </div>
            <p class="muted small">
                "The entries begin with the worked example of an article on moving inference from the cloud to one’s \
                 own devices. They are claims to replace, not advice."
            </p>
            {fields.iter().enumerate().map(|(index, field)| {
                let source = sources.iter().find(|source| source.key == field.key).cloned();
                row(cost, index, field, source)
            }).collect_view()}
        </form>
    }
}

fn row(cost: Cost, index: usize, field: &'static Field, source: Option<Assumption>) -> impl IntoView {
    let key = field.key.replace('_', "-");
    let id = format!("cost-{key}");
    let problem = move || {
        cost.problems.with(|all| all.iter().find(|(at, _)| *at == index).map(|(_, text)| text.clone()))
    };
    let (problem_id, range_id) = (format!("{id}-problem"), format!("{id}-range"));
    let described = format!("{range_id} {problem_id}");
    view! {
        <div class="field cost-field">
            <div class="entry">
                <label for=id.clone()>{field.label}</label>
                <input
                    id=id.clone()
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    class="assumed"
                    data-testid=id.clone()
                    aria-describedby=described
                    aria-invalid=move || problem().is_some().then_some("true")
                    prop:value=move || cost.texts.with(|texts| texts[index].clone())
                    on:input:target=move |event| {
                        let typed = event.target().value();
                        cost.texts.update(|texts| texts[index] = typed);
                    }
                />
                <span class="unit">{field.unit}</span>
            </div>
            {slider(cost, index, field, format!("{id}-slider"))}
            <div class="range-line">
                <p class="hint" id=range_id>{costing::entry(field.min)} " to " {costing::entry(field.max)}</p>
                {source.map(cited)}
            </div>
            <p class="field-problem" id=problem_id data-testid=format!("{id}-problem")>{problem}</p>
        </div>
    }
}

/// The slider covers the usual range; what is typed may go beyond it.
fn slider(cost: Cost, index: usize, field: &'static Field, testid: String) -> impl IntoView {
    let value = Memo::new(move |_| {
        cost.report.with(|report| report.as_ref().map_or(field.min, |report| (field.get)(&report.scenario)))
    });
    view! {
        <input
            type="range"
            min=field.min
            max=field.slider_max
            step=field.step
            data-testid=testid
            aria-label=format!("{}, slider", field.label)
            aria-valuetext=move || format!("{} {}", costing::entry(value.get()), field.unit)
            prop:value=move || value.get().min(field.slider_max).to_string()
            on:input:target=move |event| {
                if let Ok(moved) = event.target().value().parse() {
                    cost.texts.update(|texts| texts[index] = costing::entry(moved));
                }
            }
        />
    }
}

/// Who says so and when, one tap away.
fn cited(source: Assumption) -> impl IntoView {
    let kind = match source.kind {
        Kind::Measured => "measured",
        Kind::Cited => "cited",
        Kind::Assumed => "assumed",
        Kind::SeedClaim => "article’s claim, not checked",
    };
    view! {
        <details class="source">
            <summary><span class="origin origin-cited">{kind}</span></summary>
            <p class="small">
                {source.source} " (looked up " {source.retrieved} "). Worth considering: "
                {costing::entry(source.low)} " to " {costing::entry(source.high)} "."
            </p>
        </details>
    }
}
