//! Small pieces that several components share: icons, origin marks, section heads, problems.

use leptos::prelude::*;
use protocol::Operation;

use crate::state::App;

/// Where a number comes from. The mark is a word with a stroke of its own, never a colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Timed or counted on this device, in this tab.
    Measured,
    /// Drawn from a preset with a seed.
    Simulated,
    /// Worked out from what stands in the form.
    Assumed,
}

impl Origin {
    fn word(self) -> &'static str {
        match self {
            Origin::Measured => "measured",
            Origin::Simulated => "simulated",
            Origin::Assumed => "assumed inputs",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Origin::Measured => "origin origin-measured",
            Origin::Simulated => "origin origin-simulated",
            Origin::Assumed => "origin origin-assumed",
        }
    }
}

/// The mark that stands beside a number.
pub(crate) fn origin(origin: Origin) -> impl IntoView {
    view! { <span class=origin.class()>{origin.word()}</span> }
}

/// One of the drawings under `icons/`, in the colour of the text. It says nothing to screen readers.
pub(crate) fn icon(name: &'static str) -> impl IntoView {
    view! { <span class=format!("icon icon-{name}") aria-hidden="true"></span> }
}

/// A section's heading with the sentence that says what the section is for.
pub(crate) fn section_head(
    id: &'static str,
    number: &'static str,
    title: &'static str,
    lead: &'static str,
) -> impl IntoView {
    view! {
        <header class="section-head">
            <h2 id=id><span class="section-number" aria-hidden="true">{number}</span>{title}</h2>
            <p class="lead">{lead}</p>
        </header>
    }
}

/// Tells a problem where it was asked for: shown when it belongs to one of `operations`.
pub(crate) fn problem(app: App, operations: &'static [Operation]) -> impl IntoView {
    let message = Memo::new(move |_| {
        app.problem.with(|problem| {
            problem.as_ref().filter(|p| operations.contains(&p.operation)).map(|p| p.message.clone())
        })
    });
    move || {
        message.get().map(|message| {
            view! {
                <div class="notice notice-error" role="alert" data-testid="error">
                    {icon("warn")}
                    <p>{message}</p>
                </div>
            }
        })
    }
}

/// A raw number for tests and copying; nothing where there is none.
pub(crate) fn raw(value: Option<f64>) -> Option<String> {
    value.filter(|value| value.is_finite()).map(|value| value.to_string())
}
