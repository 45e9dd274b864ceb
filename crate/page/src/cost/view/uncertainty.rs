//! How sure the answer is: the run of trials, its progress, and what would have to be true.

use economics::uncertainty::{InputSwitching, Switching};
use economics::{Deployment, Scenario};
use leptos::prelude::*;

use crate::cost::model::entries::{entry, unit};
use crate::cost::state::cost::Cost;
use crate::cost::state::trials::TRIALS;
use crate::cost::view::ledger::trace;
use crate::shared::money::{money, percent};
use crate::shared::parts::opened;

/// The run of trials and the switching values.
pub(super) fn uncertainty(cost: Cost) -> impl IntoView {
    view! {
        <section class="odds" aria-labelledby="odds-title">
            <h4 id="odds-title">"How sure is that?"</h4>
            {sentence(cost)}
            {controls(cost)}
            {switching_values(cost)}
        </section>
    }
}

/// The value of each input at which the answer changes; looked for while somebody looks at it.
fn switching_values(cost: Cost) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        let scenario = cost.report.with(|r| r.as_ref().map(|r| r.scenario));
        let focus = cost.focus.get();
        if let Some(scenario) = scenario.filter(|_| open.get()) {
            cost.trials.find_switching_values(scenario, focus);
        }
    });
    view! {
        <details data-testid="flips" on:toggle=opened(open)>
            <summary>"What would have to be true for the answer to change"</summary>
            {move || open.get().then(|| match cost.trials.switching.get() {
                Some((scenario, focus, flips)) => what_must_be_true(&scenario, focus, flips).into_any(),
                None => view! { <p class="muted small">"Looking at each input …"</p> }.into_any(),
            })}
        </details>
    }
}

fn sentence(cost: Cost) -> impl IntoView {
    move || {
        let focus = cost.focus.get();
        match cost.trials.summary.get() {
            None if cost.trials.stopped.get() => "The run was stopped.".to_owned(),
            None => {
                "Thousands of trials, each with every input drawn from its range, are under way.".to_owned()
            }
            Some((summary, took)) => {
                let share = summary.probabilities.cheaper_than_cloud[focus as usize];
                let saving = summary.saving[focus as usize];
                format!(
                    "In {} of {} trials {} is cheaper than the cloud (± {}, three standard errors). Its saving lies between {} \
                     and {} in eight of ten; the middle is {}. Computed in {took:.0} ms, seed {}.",
                    percent(share.0),
                    economics::count(f64::from(summary.probabilities.trials)),
                    focus.noun(),
                    percent(summary.probabilities.margin(share).0),
                    money(saving.p10),
                    money(saving.p90),
                    money(saving.p50),
                    cost.trials.seed.get(),
                )
            }
        }
    }
}

fn controls(cost: Cost) -> impl IntoView {
    let trials = cost.trials;
    view! {
        <div class="run-line">
            <label class="field inline" for="odds-seed">
                <span>"Seed"</span>
                <input
                    id="odds-seed"
                    type="text"
                    inputmode="numeric"
                    size="8"
                    data-testid="odds-seed"
                    aria-invalid=move || trials.seed().is_none().then_some("true")
                    prop:value=move || trials.seed.get()
                    on:input:target=move |event| trials.seed.set(event.target().value())
                />
            </label>
            {move || match trials.progress.get() {
                Some(done) => view! {
                    <progress max="1" prop:value=done aria-label="Trials done">{percent(done)}</progress>
                    <button type="button" class="quiet" data-testid="odds-stop" on:click=move |_| trials.stop()>"Stop"</button>
                }.into_any(),
                None if trials.stopped.get() => view! {
                    <button type="button" class="quiet" data-testid="odds-run" on:click=move |_| trials.stopped.set(false)>
                        {format!("Run {} trials", economics::count(f64::from(TRIALS)))}
                    </button>
                }.into_any(),
                None if trials.summary.with(Option::is_some) => {
                    view! { <span class="muted small" data-testid="odds-done">"done"</span> }.into_any()
                }
                None => ().into_any(),
            }}
            {move || trials.seed().is_none().then(|| view! {
                <p class="field-problem">"Seed: enter a whole number from 0 to 18446744073709551615."</p>
            })}
        </div>
    }
}

/// The value of each input at which the cheaper of two deployments changes.
fn what_must_be_true(s: &Scenario, focus: Deployment, all: Vec<InputSwitching>) -> impl IntoView + use<> {
    let (moving, still): (Vec<InputSwitching>, Vec<InputSwitching>) =
        all.into_iter().partition(|f| matches!(f.switching, Switching::At(_)));
    let still: Vec<&str> =
        still.iter().filter(|f| matches!(f.switching, Switching::Never(_))).map(|f| f.field.label).collect();
    view! {
        <p class="small">{format!("Each input by itself, the others as entered; {} beside the cloud, at present value.", focus.label())}</p>
        <div class="scroll" tabindex="0" role="region" aria-label="Table: what would have to be true">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Input"</th>
                        <th scope="col">"Now"</th>
                        <th scope="col" class="words">"The answer changes at"</th>
                    </tr>
                </thead>
                <tbody>
                    {moving.into_iter().map(|value| switching_row(value, s)).collect_view()}
                </tbody>
            </table>
        </div>
        <p class="small muted">
            {if still.is_empty() { String::new() } else { format!("Nothing that these may be changes it: {}.", still.join(", ")) }}
        </p>
    }
}

fn switching_row(value: InputSwitching, s: &Scenario) -> impl IntoView + use<> {
    let field = value.field;
    let text = |value: f64| format!("{} {}", entry(field, rounded(value)), unit(field));
    let crossings = match &value.switching {
        Switching::At(crossings) => crossings.as_slice(),
        _ => &[],
    };
    let words: Vec<String> = crossings
        .iter()
        .take(4)
        .map(|c| format!("{}: {} below, {} above", text(c.value), c.below.label(), c.above.label()))
        .collect();
    let more = crossings.len().saturating_sub(4);
    let more = if more > 0 { format!("; {more} more") } else { String::new() };
    view! {
        <tr>
            <th scope="row">{field.label} " " {trace(vec![field.key])}</th>
            <td>{text((field.get)(s))}</td>
            <td class="words">{words.join("; ")} {more}</td>
        </tr>
    }
}

/// Four digits: as many as a threshold of assumed inputs can say.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}
