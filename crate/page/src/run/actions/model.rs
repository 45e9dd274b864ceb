//! Loading a model, ending that, and what the worker says of it.

use js_sys::Promise;
use leptos::prelude::*;
use protocol::{Load, LoadProgress, Loaded, Operation, Source, ToWorker};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, RequestCache, RequestInit, Response};

use crate::app::{App, Engine};
use crate::run::model::load_choice::Wish;
use crate::run::model::{catalogue, labels};
use crate::run::state::model::{Loading, Offers, Request};
use crate::shared::format;

impl App {
    /// Reads the catalogue; called again when the visitor asks to try again.
    pub(crate) fn read_catalogue(&self) {
        let offers = self.model.offers;
        offers.set(Offers::Asking);
        leptos::task::spawn_local(async move {
            offers.set(match fetch_text(catalogue::URL).await.and_then(|text| catalogue::parse(&text)) {
                Ok(entries) => Offers::Models(entries),
                Err(why) => Offers::Missing(why),
            });
        });
    }

    /// Loads the model that is chosen.
    pub(crate) fn load_offer(&self) {
        if let Some(choice) = untrack(|| self.model.choice()) {
            let file = choice.file().to_owned();
            // A file that the visitor kept has no name but its own.
            let title = choice.entry.is_some().then(|| choice.name.clone());
            if !choice.stored {
                self.ask_to_persist();
            }
            self.load(Request { source: choice.source(), file, title, files: Vec::new() }, true);
        }
    }

    /// Loads the same model once more; `remember` lets an earlier self-check stand.
    pub(crate) fn load_again(&self, remember: bool) {
        if let Some(request) = self.model.last.get_value() {
            self.load(request, remember);
        }
    }

    /// Loads a file of the visitor's own, or the several files of one model.
    pub(crate) fn load_files(&self, files: Vec<File>) {
        let Some(first) = files.iter().map(File::name).min() else { return };
        let keep = self.model.keep.get_untracked();
        if keep {
            self.ask_to_persist();
        }
        let source = Source::File { file: first.clone(), keep };
        self.load(Request { source, file: first, title: None, files }, true);
    }

    fn load(&self, request: Request, remember: bool) {
        if self.model.loading.with_untracked(Option::is_some) || untrack(|| self.busy()) {
            return;
        }
        self.problem.set(None);
        self.model.forgotten.set(None);
        self.model.loaded.set(None);
        self.model.report.set(None);
        self.model.answered.set(None);
        self.bench.forget();
        self.new_conversation();
        self.announce(format!("Loading {}.", request.file));
        let (file, title) = (request.file.clone(), request.title.clone());
        self.model.loading.set(Some(Loading { file, title, ..Loading::default() }));
        self.model.last.set_value(Some(request.clone()));
        self.start_engine();
        let wish = untrack(|| self.model.wish());
        let Wish { context, preference, variant, threads, reading } = wish.clone();
        self.model.wished.set(Some(wish));
        let Request { source, files, .. } = request;
        let load = Load { source, context, backend: preference, variant, threads, reading, remember };
        self.bridge.send_with(&ToWorker::Load(load), files);
    }

    /// Ends the running load.
    pub(crate) fn cancel_load(&self) {
        if self.engine.get_untracked() == Engine::Ready {
            self.model.loading.update(|loading| {
                if let Some(loading) = loading {
                    loading.cancelling = true;
                }
            });
            self.bridge.send(&ToWorker::Abort);
        } else {
            // The engine itself is still on its way and cannot be told anything: it is dropped.
            self.bridge.stop();
            self.engine.set(Engine::Off);
            self.model.loading.set(None);
        }
    }

    /// Removes every stored model from this browser.
    pub(crate) fn forget_models(&self) {
        self.problem.set(None);
        self.model.forgotten.set(None);
        self.start_engine();
        self.bridge.send(&ToWorker::ForgetModels);
    }

    pub(crate) fn on_progress(&self, progress: LoadProgress) {
        let shown = || self.model.loading.with_untracked(|l| l.as_ref()?.shown().map(|p| p.stage));
        let before = shown();
        self.model.loading.update(|loading| {
            if let Some(loading) = loading {
                loading.record(progress);
            }
        });
        let now = shown();
        if let Some(stage) = now.filter(|_| now != before) {
            self.announce(format!("{}.", labels::stage(stage)));
        }
    }

    pub(crate) fn on_loaded(&self, mut loaded: Loaded) {
        let loading = self.model.loading.try_update(Option::take).flatten();
        // The catalogue's name is the one the visitor chose by; files often carry a build's code name.
        let title = loading.and_then(|loading| loading.title);
        self.model.own_file.set(title.is_none());
        self.list_models();
        if let Some(title) = title {
            loaded.name = title;
        }
        let why = untrack(|| self.model.shortened(&loaded)).unwrap_or_default();
        self.announce(format!("{} is ready. {why}", loaded.name).trim_end());
        self.model.report.set(Some(loaded.backend.clone()));
        self.model.loaded.set(Some(loaded));
    }

    pub(crate) fn on_forgotten(&self, bytes: u64) {
        let text = match bytes {
            0 => "No models were stored in this browser.".to_owned(),
            bytes => format!("Removed {} of stored models from this browser.", format::bytes(bytes as f64)),
        };
        self.announce(text.clone());
        self.model.forgotten.set(Some(text));
        self.list_models();
    }

    pub(crate) fn on_load_failed(&self, operation: Operation, message: Option<String>) {
        self.model.loading.set(None);
        match message {
            Some(message) => self.fail(operation, message),
            None => self.announce("Loading was cancelled."),
        }
    }
}

/// Fetches a small text of this site.
async fn fetch_text(url: &str) -> Result<String, String> {
    let failed = || format!("{url} could not be fetched: the server does not answer.");
    let options = RequestInit::new();
    options.set_cache(RequestCache::NoCache);
    let answer =
        JsFuture::from(window().fetch_with_str_and_init(url, &options)).await.map_err(|_| failed())?;
    let answer: Response = answer.dyn_into().map_err(|_| failed())?;
    if !answer.ok() {
        return Err(format!("{url} is not on this server (status {}).", answer.status()));
    }
    let text: Promise = answer.text().map_err(|_| failed())?;
    JsFuture::from(text).await.ok().and_then(|text| text.as_string()).ok_or_else(failed)
}
