//! Raw samples out of the page, and another device's in.

use js_sys::Array;
use latency::export::{ExportError, MOST_BYTES};
use leptos::prelude::*;
use web_sys::{Blob, BlobPropertyBag};

use crate::app::App;
use crate::shared::parts::{file_button, read_text, save};

/// The card's content.
pub(super) fn exports(app: App) -> impl IntoView {
    let empty = move || app.latency.runs.with(|runs| runs.is_empty());
    let told = RwSignal::new(String::new());
    let write = move |name: &'static str, kind: &'static str, text: Result<String, ExportError>| {
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
            <button type="button" data-testid="export-json" disabled=empty on:click=move |_| write("nibble-latency.json", "application/json", app.latency.export().to_json())>
                "Save as JSON"
            </button>
            <button type="button" data-testid="export-csv" disabled=empty on:click=move |_| write("nibble-latency.csv", "text/csv", app.latency.export().to_csv())>
                "Save as CSV"
            </button>
            {file_button("Open another device’s", ".json,.csv", "import", || false, move |file| read(app, file))}
            <button type="button" class:hidden=move || app.latency.other.with(Option::is_none) data-testid="import-remove" on:click=move |_| app.latency.other.set(None)>
                "Remove the imported"
            </button>
            <span class="small muted" role="status" data-testid="export-told">{move || told.get()}</span>
        </div>
    }
}

/// A file beyond the limit is refused before it is read.
fn read(app: App, file: web_sys::File) {
    if file.size() > MOST_BYTES as f64 {
        return app.import(Err(ExportError::TooLong { bytes: file.size() as usize }.to_string()));
    }
    read_text(file, move |text| app.import(text));
}

/// `None` where the browser refuses.
fn download(name: &str, kind: &str, text: &str) -> Option<()> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&text.into()), &options).ok()?;
    save(name, &blob)
}
