//! The cost form: made from the fields and choices that `economics` declares, group by group.

use economics::{CHOICES, Choice, FIELDS, Field, Group};
use leptos::prelude::*;

use crate::app::App;
use crate::cost::model::entries::{entry, unit};
use crate::cost::state::cost::{Cost, Reading};
use crate::cost::view::ledger::origin_of;
use crate::shared::clock::moment;
use crate::shared::parts::icon;

/// Groups that stand open at first: what nearly everybody has to enter.
const OPEN: [Group; 4] = [Group::Demand, Group::Cloud, Group::Engineering, Group::Edge];

/// The form.
pub(super) fn form(app: App) -> impl IntoView {
    let cost = app.cost;
    view! {
        <form class="card cost-form" aria-labelledby="cost-form-title" on:submit=|event| event.prevent_default()>
            <h3 id="cost-form-title">"Your figures"</h3>
            <p class="muted small">
                "Every entry begins as a dated assumption, with its source one tap away. They are figures to replace, \
                 not advice."
            </p>
            {measured(app)}
            {Group::ALL.map(|group| self::group(cost, group))}
        </form>
    }
}

/// Figures measured in this tab, put into the form with one click.
fn measured(app: App) -> impl IntoView {
    let speed = Memo::new(move |_| {
        let bench = app.bench.result.with(|result| result.as_ref().map(|r| r.decode_tokens_per_s));
        bench.or_else(|| app.chat.figures.get().tokens_per_second)
    });
    move || {
        match speed.get() {
        Some(speed) => view! {
            <button
                type="button"
                class="quiet measured-use"
                data-testid="cost-use-measured"
                on:click=move |_| {
                    let value = (speed * 10.0).round() / 10.0;
                    app.cost.case().measure("browser.tokens_per_second", reading(app, value));
                }
            >
                {icon("check")}
                <span>"Use " <span class="value-measured">{format!("{speed:.1} tokens/s")}</span>
                ", measured in this tab, for the browser"</span>
            </button>
        }
        .into_any(),
        None => view! {
            <p class="hint">"Run the model above, and its measured speed can be put in here with one click."</p>
        }
        .into_any(),
    }
    }
}

/// Where a value comes from that this tab measured a moment ago.
fn reading(app: App, value: f64) -> Reading {
    let model = app.model.loaded.with_untracked(|loaded| loaded.as_ref().map(|loaded| loaded.name.clone()));
    let backend = app.backend().0;
    let (day, time) = moment(js_sys::Date::now());
    let model = model.unwrap_or_else(|| "a model".to_owned());
    let source = format!("measured on this device, {day} {time} UTC: decode of {model} on {backend}");
    Reading { value, source, day }
}

fn group(cost: Cost, group: Group) -> impl IntoView {
    let fields = FIELDS.iter().enumerate().filter(move |(_, field)| field.group == group);
    let choices = CHOICES.iter().enumerate().filter(move |(_, choice)| choice.group == group);
    let wrong = move || {
        let count =
            cost.case().problems.with(|all| all.iter().filter(|p| FIELDS[p.field].group == group).count());
        (count > 0).then(|| view! { <span class="flag">{count} " to correct"</span> })
    };
    view! {
        <details class="group" open=OPEN.contains(&group) data-testid=format!("group-{}", group.name())>
            <summary>{group.label()} {wrong}</summary>
            {choices.map(|(index, choice)| self::choice(cost, index, choice)).collect_view()}
            {fields.map(|(index, field)| row(cost, index, field)).collect_view()}
        </details>
    }
}

fn choice(cost: Cost, index: usize, choice: &'static Choice) -> impl IntoView {
    let id = format!("cost-{}", slug(choice.key));
    let chosen = move || cost.case().entries.with(|entries| entries.chosen[index]);
    let hidden = Memo::new(move |_| !cost.case().readable.with(choice.relevant));
    view! {
        <div class="field cost-field" class:hidden=hidden>
            <div class="entry">
                <label for=id.clone()>{choice.label}</label>
                <select
                    id=id.clone()
                    data-testid=id.clone()
                    data-key=choice.key
                    aria-describedby=format!("{id}-means")
                    on:change:target=move |event| {
                        if let Ok(option) = event.target().value().parse() {
                            cost.case().choose(index, option);
                        }
                    }
                >
                    {choice.options.iter().enumerate().map(|(option, info)| view! {
                        <option value=option data-name=info.name prop:selected=move || chosen() == option>{info.label}</option>
                    }).collect_view()}
                </select>
            </div>
            <p class="hint" id=format!("{id}-means")>{move || choice.options[chosen()].explanation}</p>
        </div>
    }
}

fn row(cost: Cost, index: usize, field: &'static Field) -> impl IntoView {
    let id = format!("cost-{}", slug(field.key));
    let problem = move || {
        cost.case().problems.with(|all| all.iter().find(|p| p.field == index).map(|p| p.sentence.clone()))
    };
    let hidden = Memo::new(move |_| !cost.case().readable.with(field.relevant));
    let problem_id = format!("{id}-problem");
    let range_id = format!("{id}-range");
    view! {
        <div class="field cost-field" class:hidden=hidden>
            <div class="entry">
                <label for=id.clone()>{field.label}</label>
                <input
                    id=id.clone()
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    class="assumed"
                    data-testid=id.clone()
                    data-key=field.key
                    aria-describedby=format!("{range_id} {problem_id}")
                    aria-invalid=move || problem().is_some().then_some("true")
                    prop:value=move || cost.case().entries.with(|entries| entries.texts[index].clone())
                    on:input:target=move |event| cost.case().type_in(index, event.target().value())
                />
                <span class="unit">{unit(field)}</span>
            </div>
            {slider(cost, index, field, format!("{id}-slider"))}
            <div class="range-line">
                <p class="hint" id=range_id>{entry(field, field.min)} " to " {entry(field, field.max)}</p>
                {origin_of(cost, field.key)}
            </div>
            <p class="field-problem" id=problem_id data-testid=format!("{id}-problem")>{problem}</p>
        </div>
    }
}

/// The slider covers the usual range; what is typed may go beyond it. A logarithmic one moves by decades.
fn slider(cost: Cost, index: usize, field: &'static Field, testid: String) -> impl IntoView {
    let value = Memo::new(move |_| cost.case().scenario().map_or(field.min, |s| (field.get)(&s)));
    let place = move |value: f64| if field.log { value.max(1e-12).log10() } else { value };
    let from = place(field.slider_min);
    let to = place(field.slider_max);
    view! {
        <input
            type="range"
            min=from
            max=to
            step=field.step
            data-log=field.log.to_string()
            data-whole=field.whole.to_string()
            data-testid=testid
            aria-label=format!("{}, slider", field.label)
            aria-valuetext=move || format!("{} {}", entry(field, value.get()), unit(field))
            prop:value=move || place(value.get()).clamp(from, to).to_string()
            on:input:target=move |event| {
                if let Ok(moved) = event.target().value().parse::<f64>() {
                    // Two digits are what a slider can say.
                    let value = if field.log { two_digits(10_f64.powf(moved)) } else { moved };
                    cost.case().type_in(index, entry(field, if field.whole { value.round() } else { value }));
                }
            }
        />
    }
}

/// 1,258.9 → 1,300.
fn two_digits(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

/// A key as identifiers have it.
fn slug(key: &str) -> String {
    key.replace(['.', '_'], "-")
}
