//! What a model file says of itself, before it runs.

use leptos::prelude::*;
use protocol::Inspected;

use crate::app::App;
use crate::run::model::fit;
use crate::run::view::picker;
use crate::shared::format;
use crate::shared::parts::icon;
use crate::shared::text::sentence;

/// The file that is looked into, if there is one.
pub(super) fn inspected(app: App) -> impl IntoView {
    move || app.model.inspected.get().map(|inspected| shown(app, inspected))
}

fn shown(app: App, inspected: Inspected) -> impl IntoView {
    let Inspected { file, bytes, license, template, metadata, types, needs } = inspected;
    let keys = format!("Everything in its header: {}", format::counted(metadata.len() as u32, "key", "keys"));
    view! {
        <section class="inspected" aria-labelledby="inspected-title" data-testid="inspected">
            <div class="inspected-head">
                <h4 id="inspected-title">"Inside " {file}</h4>
                <button type="button" class="quiet" data-testid="inspected-close" on:click=move |_| app.model.inspected.set(None)>
                    {icon("cross")} "Close"
                </button>
            </div>
            {match needs {
                Ok(needs) => view! {
                    <p data-testid="inspected-runs" data-value="yes">
                        {move || {
                            let memory_gb = app.device.with(|device| device.memory_gb);
                            let words = fit::words(needs, app.model.context.get(), memory_gb);
                            view! { "Can be run: " {words} {picker::speed(app, needs)} "." }
                        }}
                    </p>
                }.into_any(),
                Err(why) => view! {
                    <p data-testid="inspected-runs" data-value="no">"Cannot be run: " {sentence(&why)}</p>
                }.into_any(),
            }}
            <dl class="facts">
                <div><dt>"Size"</dt><dd>{format::bytes(bytes as f64)}</dd></div>
                <div><dt>"Licence"</dt><dd>{license.unwrap_or_else(|| "not stated in the file".to_owned())}</dd></div>
                <div><dt>"Chat template"</dt><dd>{if template.is_some() { "yes" } else { "none" }}</dd></div>
            </dl>
            <div class="scroll">
                <table>
                    <thead><tr><th scope="col">"Tensors"</th><th scope="col">"Count"</th><th scope="col">"Size"</th></tr></thead>
                    <tbody data-testid="inspected-types">
                        {types.into_iter().map(|(name, count, bytes)| view! {
                            <tr>
                                <th scope="row">{name}</th>
                                <td class="num">{format::count(f64::from(count))}</td>
                                <td class="num">{format::bytes(bytes as f64)}</td>
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </div>
            {template.map(|template| view! {
                <details>
                    <summary>"Chat template"</summary>
                    <pre class="listing" tabindex="0">{template}</pre>
                </details>
            })}
            <details>
                <summary>{keys}</summary>
                <dl class="listing" tabindex="0">
                    {metadata.into_iter().map(|(key, value)| view! {
                        <div><dt><code>{key}</code></dt><dd>{value}</dd></div>
                    }).collect_view()}
                </dl>
            </details>
        </section>
    }
}
