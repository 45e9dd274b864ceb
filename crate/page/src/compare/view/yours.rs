//! "Your numbers": percentiles to type, or samples to fit.

use latency::pasted::{MOST_BYTES, SamplesError};
use leptos::prelude::*;

use crate::app::App;
use crate::compare::model::yours::{FIELDS, standing};
use crate::compare::state::comparison::{Race, Yours};
use crate::shared::parts::{file_button, read_text};

/// The form.
pub(crate) fn yours(app: App) -> impl IntoView {
    let yours = app.race.yours;
    let problem = move || yours.problem.get().or_else(|| refused(app.race));
    let told = move || {
        let fit = yours.fit.get();
        yours.texts.with(|texts| standing(texts, fit.as_ref()).map(|fit| fit.words()))
    };
    view! {
        <fieldset class="controls yours" data-testid="yours" disabled=move || app.live.is_on()>
            <legend class="small">"Times as your client saw them, network included"</legend>
            {FIELDS.iter().enumerate().map(|(index, (key, label))| field(yours, index, key, label)).collect_view()}
            {samples(yours)}
        </fieldset>
        <p class="field-problem" data-testid="yours-problem" id="yours-problem" role="status">{problem}</p>
        <p class="small" data-testid="yours-fit" data-value=move || fitted(yours)>{told}</p>
    }
}

/// Why the fields describe no cloud.
fn refused(race: Race) -> Option<String> {
    race.service.with(|service| match service {
        Ok(service) => service.simulator().err(),
        Err(problem) => Some(problem.clone()),
    })
}

/// Whether the fit is plausible, for tests; nothing without one.
fn fitted(yours: Yours) -> Option<&'static str> {
    let fit = yours.fit.get();
    yours.texts.with(|texts| {
        standing(texts, fit.as_ref()).map(|fit| if fit.fitted.plausible() { "plausible" } else { "poor" })
    })
}

fn field(yours: Yours, index: usize, key: &'static str, label: &'static str) -> impl IntoView {
    view! {
        <label class="stacked">
            {label}
            <input
                type="text"
                inputmode="decimal"
                autocomplete="off"
                data-testid=format!("yours-{key}")
                aria-describedby="yours-problem"
                prop:value=move || yours.texts.with(|texts| texts[index].clone())
                on:input:target=move |event| {
                    let typed = event.target().value();
                    yours.problem.set(None);
                    yours.texts.update(|texts| texts[index] = typed);
                }
            />
        </label>
    }
}

/// Samples from a file, or pasted.
fn samples(yours: Yours) -> impl IntoView {
    let pasted = RwSignal::new(String::new());
    view! {
        <label class="stacked wide">
            "Or paste samples: CSV or JSON of times to the first token, ms"
            <textarea
                rows="3"
                spellcheck="false"
                placeholder="ttft_ms\n212\n198"
                data-testid="yours-paste"
                on:input:target=move |event| pasted.set(event.target().value())
            ></textarea>
        </label>
        <div class="buttons wide">
            <button type="button" data-testid="yours-read" disabled=move || pasted.with(|text| text.trim().is_empty()) on:click=move |_| pasted.with_untracked(|text| yours.read(text))>
                "Fit these"
            </button>
            {file_button("Open a file of samples", ".csv,.json,.txt", "yours-file", || false, move |file| read(yours, file))}
        </div>
    }
}

fn read(yours: Yours, file: web_sys::File) {
    let bytes = file.size() as usize;
    if bytes > MOST_BYTES {
        // Said before it is read: the file may not fit into memory.
        return yours.problem.set(Some(format!("Your samples: {}.", SamplesError::TooLong { bytes })));
    }
    read_text(file, move |text| match text {
        Ok(text) => yours.read(&text),
        Err(cause) => yours.problem.set(Some(format!("Your samples: {cause}."))),
    });
}
