//! The way each option takes through the gates of the decision, and the same as one small table.

use leptos::prelude::*;

use crate::charts::drawings::{Gate, Outcome, Path, gate_names};
use crate::shared::parts::origin;

/// Every option's gates from the first to its result, side by side where there is room.
pub(crate) fn paths(testid: &'static str, paths: Memo<Vec<Path>>) -> impl IntoView {
    view! {
        <div class="paths" data-testid=testid>
            {move || paths.get().into_iter().map(path_view).collect_view()}
        </div>
    }
}

fn path_view(path: Path) -> impl IntoView {
    let ending = match (path.chosen, path.feasible) {
        (true, _) => "path-result result-chosen",
        (false, true) => "path-result result-feasible",
        (false, false) => "path-result result-out",
    };
    // Head, gates and result stand on common lines with the paths beside this one.
    let count = path.gates.len();
    let lines = format!("span {}", count + 2);
    let option = path.option.clone();
    view! {
        <article class="path" data-role=path.role.key() style:grid-row=lines aria-label=option>
            <h4 class="path-head">
                <span class=format!("key role-{}", path.role.key()) aria-hidden="true"></span>
                {path.option}
            </h4>
            <ol class="gates" style:grid-row=format!("span {count}")>
                {path.gates.into_iter().map(gate_view).collect_view()}
            </ol>
            <p class=ending data-testid="path-result">
                <strong>{if path.chosen { "Take this" } else if path.feasible { "Feasible" } else { "Ruled out" }}</strong>
                <span>{path.result}</span>
            </p>
        </article>
    }
}

fn gate_view(gate: Gate) -> impl IntoView {
    let asked = gate.outcome != Outcome::Skipped;
    view! {
        <li class=format!("gate gate-{}", gate.outcome.key())>
            <span class="gate-sign" aria-hidden="true">{gate.outcome.sign()}</span>
            <p class="gate-name">
                <strong>{gate.name.clone()}</strong>
                <span class="gate-outcome">{gate.outcome.word()}</span>
            </p>
            <p class="gate-question muted">{gate.question.clone()}</p>
            {asked.then(|| figures(&gate))}
            <p class="gate-sentence">{gate.sentence}</p>
        </li>
    }
}

/// The finding against the requirement, and where the finding comes from.
fn figures(gate: &Gate) -> impl IntoView + use<> {
    let pair = |name: &'static str, text: &str| {
        let text = text.to_owned();
        (!text.is_empty()).then(|| view! { <div><dt>{name}</dt><dd class="num">{text}</dd></div> })
    };
    let from = (!gate.value.is_empty()).then(|| {
        let text = gate.origin_text.clone();
        view! { <p class="gate-origin small">{origin(gate.origin)} " " {text}</p> }
    });
    view! {
        <dl class="gate-figures">{pair("value", &gate.value)}{pair("threshold", &gate.threshold)}</dl>
        {from}
    }
}

/// Options by gates, one sign a cell.
pub(crate) fn matrix(testid: &'static str, title: &'static str, paths: Memo<Vec<Path>>) -> impl IntoView {
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label=format!("Table: {title}")>
            <table class="matrix" data-testid=testid>
                <caption class="visually-hidden">{title}</caption>
                {move || paths.with(|paths| rows(paths))}
            </table>
        </div>
    }
}

fn rows(paths: &[Path]) -> impl IntoView + use<> {
    let names: Vec<String> = gate_names(paths).into_iter().map(str::to_owned).collect();
    let heads = names.iter().cloned().map(|name| view! { <th scope="col">{name}</th> }).collect_view();
    let body = paths.iter().map(|path| {
        let cells = names.iter().map(|name| cell(path.gates.iter().find(|gate| gate.name == *name)));
        let ending = if path.chosen {
            "take"
        } else if path.feasible {
            "feasible"
        } else {
            "out"
        };
        view! {
            <tr class:marked=path.chosen>
                <th scope="row">{path.option.clone()}</th>
                {cells.collect_view()}
                <td class="words">{ending}</td>
            </tr>
        }
    });
    let body = body.collect_view();
    view! {
        <thead><tr><th scope="col">"Option"</th>{heads}<th scope="col" class="words">"Result"</th></tr></thead>
        <tbody>{body}</tbody>
    }
}

/// A gate that an option has not is skipped for it.
fn cell(gate: Option<&Gate>) -> impl IntoView + use<> {
    let outcome = gate.map_or(Outcome::Skipped, |gate| gate.outcome);
    let told = gate.map(|gate| gate.sentence.clone());
    view! {
        <td class=format!("gate-cell gate-{}", outcome.key()) title=told>
            <span aria-hidden="true">{outcome.sign()}</span>
            <span class="visually-hidden">{outcome.word()}</span>
        </td>
    }
}
