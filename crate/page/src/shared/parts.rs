//! Small pieces that several components share: icons, origin marks, section heads, problems.

use js_sys::Uint8Array;
use leptos::prelude::*;
use protocol::Operation;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Element, Event, File, FileList, HtmlAnchorElement, Storage, Url};

use crate::app::App;
use crate::shared::origin::Origin;

/// The mark that stands beside a number.
pub(crate) fn origin(origin: Origin) -> impl IntoView {
    let (class, word) = match origin {
        Origin::Measured => ("origin origin-measured", "measured"),
        Origin::Simulated => ("origin origin-simulated", "simulated"),
        Origin::Predicted => ("origin origin-simulated", "predicted"),
        Origin::Cited => ("origin origin-cited", "cited"),
        Origin::Assumed => ("origin origin-assumed", "assumed inputs"),
    };
    view! { <span class=class>{word}</span> }
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

/// Notes whether a disclosure is open: what nobody sees is not made anew with every change.
pub(crate) fn opened(open: RwSignal<bool>) -> impl Fn(Event) {
    move |event| {
        let disclosure = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        open.set(disclosure.is_some_and(|disclosure| disclosure.has_attribute("open")));
    }
}

/// A button that opens a file of one of the kinds in `accept`; `key` is its name for tests.
pub(crate) fn file_button(
    label: &'static str,
    accept: &'static str,
    key: &'static str,
    disabled: impl Fn() -> bool + Send + Copy + 'static,
    open: impl Fn(File) + 'static,
) -> impl IntoView {
    files_button(label, accept, key, false, disabled, move |files| files.into_iter().for_each(&open))
}

/// The same for several files at once, where `multiple` says so; never for none.
pub(crate) fn files_button(
    label: &'static str,
    accept: &'static str,
    key: &'static str,
    multiple: bool,
    disabled: impl Fn() -> bool + Send + Copy + 'static,
    open: impl Fn(Vec<File>) + 'static,
) -> impl IntoView {
    view! {
        <label class="button" class:disabled=disabled>
            {icon("file")} {label}
            <input type="file" class="visually-hidden" accept=accept multiple=multiple data-testid=key disabled=disabled on:change:target=move |event| {
                let input = event.target();
                let files = input.files().map(listed).unwrap_or_default();
                if !files.is_empty() {
                    open(files);
                }
                // So that choosing the same file again is a change again.
                input.set_value("");
            } />
        </label>
    }
}

/// The files of a browser's list.
pub(crate) fn listed(files: FileList) -> Vec<File> {
    (0..files.length()).filter_map(|index| files.get(index)).collect()
}

/// What this browser remembers for the page; `None` where it remembers nothing.
pub(crate) fn local_storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// Has the browser save a blob as a file; `None` where it refuses.
pub(crate) fn save(name: &str, blob: &Blob) -> Option<()> {
    let url = Url::create_object_url_with_blob(blob).ok()?;
    let link: HtmlAnchorElement = document().create_element("a").ok()?.dyn_into().ok()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    Url::revoke_object_url(&url).ok()
}

/// Hands a file's text to `then`, or a sentence where the browser cannot read it.
pub(crate) fn read_text(file: File, then: impl FnOnce(Result<String, String>) + 'static) {
    leptos::task::spawn_local(async move {
        let bytes = JsFuture::from(file.array_buffer()).await.map(|buffer| Uint8Array::new(&buffer).to_vec());
        then(match bytes {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(_) => Err("the browser could not read the file".to_owned()),
        });
    });
}

/// A raw number for tests and copying; nothing where there is none.
pub(crate) fn raw(value: Option<f64>) -> Option<String> {
    value.filter(|value| value.is_finite()).map(|value| value.to_string())
}
