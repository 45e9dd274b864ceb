//! The self-check's findings: GPU against processor on this device, before the first answer.

use leptos::prelude::*;
use protocol::{Check, Report};

use crate::app::App;
use crate::run::model::self_check;
use crate::shared::origin::Origin;
use crate::shared::parts::{icon, origin, raw};

/// The self-check of what is loaded; nothing where there was no GPU to check.
pub(crate) fn self_check(app: App) -> impl IntoView {
    move || {
        let report = app.model.report.get()?;
        let check = report.check.clone()?;
        Some(view! {
            <section class="self-check" aria-labelledby="check-title">
                <h4 id="check-title">"Self-check of the GPU " {origin(Origin::Measured)}</h4>
                {agreement(&check)}
                {speeds(&check)}
                {replaced(&check)}
                {variant(app, &report)}
                {remembered(app, &check)}
            </section>
        })
    }
}

fn agreement(check: &Check) -> impl IntoView + use<> {
    let difference = (check.tokens > 0).then_some(f64::from(check.largest_difference));
    view! {
        <p data-testid="check-agreement" data-same=check.same.to_string() data-tokens=check.tokens.to_string()>
            {self_check::agreement(check)}
        </p>
        <span class="visually-hidden" data-testid="check-difference" data-value=raw(difference)></span>
    }
}

/// Both speeds; the processor's comes from part of the layers, and says so.
fn speeds(check: &Check) -> impl IntoView + use<> {
    let gpu = check.gpu_tokens_per_s;
    let cpu = check.cpu_tokens_per_s;
    view! {
        <dl class="facts">
            <div>
                <dt>"GPU"</dt>
                <dd class="num" data-testid="check-gpu-tps" data-value=raw(gpu)>{self_check::speed(gpu)}</dd>
            </div>
            <div>
                <dt>"Processor, from part of the layers, scaled to all"</dt>
                <dd class="num" data-testid="check-cpu-tps" data-value=raw(cpu)>{self_check::speed(cpu)}</dd>
            </div>
        </dl>
    }
}

fn replaced(check: &Check) -> impl IntoView + use<> {
    let names = check.replaced.join(", ");
    (!check.replaced.is_empty()).then(|| {
        view! {
            <p class="notice" data-testid="check-replaced">
                {icon("warn")}
                <span>"Wrong numbers on this device, so the plain variant computes instead: " {names} "."</span>
            </p>
        }
    })
}

/// The kernels' variant, and whether it is the one that was asked for.
fn variant(app: App, report: &Report) -> impl IntoView + use<> {
    let runs = report.variant.clone()?;
    let refused = app.model.refused_variant();
    Some(view! {
        <p class="small muted">
            "Kernels: " <code data-testid="variant">{runs}</code> "."
            {refused.map(|asked| format!(" {asked} was asked for, but this adapter cannot run it."))}
        </p>
    })
}

/// Where the result comes from, and how to have it made anew.
fn remembered(app: App, check: &Check) -> impl IntoView + use<> {
    let told = self_check::provenance(check);
    let earlier = check.remembered;
    view! {
        <p class="small muted" data-testid=earlier.then_some("check-remembered")>{told}</p>
        {earlier.then(|| view! {
            <button type="button" data-testid="check-again" disabled=move || app.busy() on:click=move |_| app.load_again(false)>
                {icon("again")} "Check and measure again"
            </button>
        })}
    }
}
