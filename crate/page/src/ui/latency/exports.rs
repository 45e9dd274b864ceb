//! Raw samples out of the page, and another device's in.

use js_sys::{Array, Uint8Array};
use latency::export::{ExportError, MOST_BYTES};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

use crate::state::App;
use crate::ui::parts::icon;

/// The card's content.
pub(super) fn exports(app: App) -> impl IntoView {
    let empty = move || app.latency.runs.with(|runs| runs.is_empty());
    let told = RwSignal::new(String::new());
    let save = move |name: &'static str, kind: &'static str, text: Result<String, ExportError>| {
        let saved =
            text.map_err(|error| format!("The samples cannot be written: {error}.")).and_then(|text| {
                download(name, kind, &text).ok_or_else(|| "The browser refused to save a file.".to_owned())
            });
        told.set(saved.err().unwrap_or_else(|| format!("Saved as {name}.")));
    };
    view! {
        <h3>"Samples out and in"</h3>
        <p class="muted">
            "Every token’s time, with device, browser, backend and build. Another device’s file, or one of nibble bench --latency, \
             is shown beside this device’s figures, in a table and a line of its own. Nothing is sent anywhere."
        </p>
        <div class="buttons">
            <button type="button" data-testid="export-json" disabled=empty on:click=move |_| save("nibble-latency.json", "application/json", app.latency.export().to_json())>
                "Save as JSON"
            </button>
            <button type="button" data-testid="export-csv" disabled=empty on:click=move |_| save("nibble-latency.csv", "text/csv", app.latency.export().to_csv())>
                "Save as CSV"
            </button>
            {opener(app)}
            <button type="button" class:hidden=move || app.latency.other.with(Option::is_none) data-testid="import-remove" on:click=move |_| app.latency.other.set(None)>
                "Remove the imported"
            </button>
            <span class="small muted" role="status" data-testid="export-told">{move || told.get()}</span>
        </div>
    }
}

fn opener(app: App) -> impl IntoView {
    view! {
        <label class="button">
            {icon("file")} "Open another device’s"
            <input type="file" class="visually-hidden" accept=".json,.csv" data-testid="import" on:change:target=move |event| {
                let input = event.target();
                if let Some(file) = input.files().and_then(|files| files.get(0)) {
                    read(app, file);
                }
                // So that choosing the same file again is a change again.
                input.set_value("");
            } />
        </label>
    }
}

/// A file beyond the limit is refused before it is read.
fn read(app: App, file: web_sys::File) {
    if file.size() > MOST_BYTES as f64 {
        return app.import(Err(ExportError::TooLong { bytes: file.size() as usize }.to_string()));
    }
    leptos::task::spawn_local(async move {
        let bytes = JsFuture::from(file.array_buffer()).await.map(|buffer| Uint8Array::new(&buffer).to_vec());
        app.import(match bytes {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(_) => Err("the browser could not read the file".to_owned()),
        });
    });
}

/// `None` where the browser refuses.
fn download(name: &str, kind: &str, text: &str) -> Option<()> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&text.into()), &options).ok()?;
    let url = Url::create_object_url_with_blob(&blob).ok()?;
    let link: HtmlAnchorElement = document().create_element("a").ok()?.dyn_into().ok()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    Url::revoke_object_url(&url).ok()
}
