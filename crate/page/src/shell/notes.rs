//! Section 5: how it was measured, what is simulated, which assumptions stand behind it, and the licences.

use leptos::prelude::*;

use crate::app::App;
use crate::run::model::recording::p90_needs;
use crate::shared::parts::section_head;

/// Section 5.
pub(crate) fn notes(app: App) -> impl IntoView {
    view! {
        <section id="notes" class="section" aria-labelledby="notes-title">
            {section_head("notes-title", "6", "Notes", "What stands behind the numbers on this page.")}
            <div class="notes-grid">
                {measured()}
                {simulated()}
                {assumed()}
                {licences(app)}
            </div>
        </section>
    }
}

fn measured() -> impl IntoView {
    view! {
        <article class="card prose">
            <h3><span class="origin origin-measured">"Measured"</span> " on this device"</h3>
            <p>
                "Time starts when Generate is pressed. The engine’s worker notes when each token was chosen, so a busy \
                 page does not blur the figures. Both clocks are the browser’s; it rounds them, to 0.1 ms or finer."
            </p>
            <p>
                "Speed is the tokens after the first, divided by the time they took. The time between tokens is told as \
                 the median of the gaps; the 90th percentile only from " {p90_needs()} " gaps on, because fewer cannot \
                 support it. One answer is one sample of the time to the first token."
            </p>
            <p>
                "Memory is the size of the worker’s WebAssembly memory. It never shrinks, so it is the peak. Requests \
                 are sent one after another, never under load."
            </p>
        </article>
    }
}

fn simulated() -> impl IntoView {
    view! {
        <article class="card prose">
            <h3><span class="origin origin-simulated">"Simulated"</span> " cloud"</h3>
            <p>
                "No cloud service is called. Network, queue and stream are drawn from the preset named beside each \
                 number, with the seed named beside it; the same seed gives the same numbers. The preset’s sources and \
                 dates are listed in Compare."
            </p>
            <p>
                "A simulated time says how long a request would take if the preset held. It says nothing about any \
                 provider today, and nothing about the quality of an answer: a cloud model is usually far larger than \
                 the one running here."
            </p>
        </article>
    }
}

fn assumed() -> impl IntoView {
    view! {
        <article class="card prose">
            <h3><span class="origin origin-assumed">"Assumptions"</span> " and sources"</h3>
            <p>
                "The cost section works everything out from the entries of its form, and nothing else. Each entry names \
                 its source, date and range in the ledger; every figure names its entries. Hardware and engineering are \
                 paid at the start, monthly costs at the end of each month, in US dollars before tax."
            </p>
            <p>
                "The first example is that of “Strategic Transition from Cloud-Centric to On-Device Inference” \
                 (9 April 2026). Where its text and its formula disagree, the page says so."
            </p>
        </article>
    }
}

fn licences(app: App) -> impl IntoView {
    view! {
        <article class="card prose">
            <h3>"Licences and privacy"</h3>
            <p>"Nibble is free software under the MIT or Apache-2.0 licence, at your choice. Charts are drawn by uPlot (MIT)."</p>
            {move || app.model.offer().map(|entry| view! {
                <p>{entry.name} " is under " {entry.license} "; it comes from " {entry.source} "."</p>
            })}
            <p>
                "Nothing is fetched from third parties, and nothing you type is sent anywhere. A loaded model is kept in \
                 this browser until you choose “Forget stored models”; so is the colour theme you pick."
            </p>
        </article>
    }
}
