//! The model: what is on offer, what is being loaded, what is loaded.

use js_sys::Promise;
use leptos::prelude::*;
use protocol::{Load, LoadProgress, Loaded, Operation, Source, Stage, ToWorker};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, RequestCache, RequestInit, Response};

use super::{App, Engine};
use crate::catalogue::{self, Entry};
use crate::format;
use crate::rate::Rate;

/// Positions the context is allocated for unless the visitor chooses otherwise: ample for the tasks here, and
/// small enough for a phone.
const CONTEXT: u32 = 2_048;

/// What can be loaded from this site.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Offers {
    /// The catalogue is on its way.
    Asking,
    /// There is none, and why.
    Missing(String),
    /// The models, the one to offer first at the front.
    Models(Vec<Entry>),
}

/// A load that is under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loading {
    /// File name.
    pub(crate) file: String,
    /// Name in the catalogue; a file of the visitor's own has none.
    title: Option<String>,
    /// Where it stands; `None` until the worker has said something.
    pub(crate) progress: Option<LoadProgress>,
    /// How fast it goes.
    pub(crate) rate: Rate,
    /// Whether the visitor asked to end it.
    pub(crate) cancelling: bool,
}

/// The model's part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    /// What can be loaded from this site.
    pub(crate) offers: RwSignal<Offers>,
    /// A load that is under way.
    pub(crate) loading: RwSignal<Option<Loading>>,
    /// The model that can be prompted.
    pub(crate) loaded: RwSignal<Option<Loaded>>,
    /// Whether that one is a file of the visitor's own.
    pub(crate) own_file: RwSignal<bool>,
    /// Positions to allocate the context for.
    pub(crate) context: RwSignal<u32>,
    /// What became of "forget stored models".
    pub(crate) forgotten: RwSignal<Option<String>>,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            offers: RwSignal::new(Offers::Asking),
            loading: RwSignal::new(None),
            loaded: RwSignal::new(None),
            own_file: RwSignal::new(false),
            context: RwSignal::new(CONTEXT),
            forgotten: RwSignal::new(None),
        }
    }

    /// The model to show on the card: the first on offer.
    pub(crate) fn offer(&self) -> Option<Entry> {
        self.offers.with(|offers| match offers {
            Offers::Models(entries) => entries.first().cloned(),
            Offers::Asking | Offers::Missing(_) => None,
        })
    }
}

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

    /// Loads the model on offer.
    pub(crate) fn load_offer(&self) {
        if let Some(entry) = untrack(|| self.model.offer()) {
            self.load(
                entry.source(),
                Loading { file: entry.file, title: Some(entry.name), ..Loading::default() },
                None,
            );
        }
    }

    /// Loads a file of the visitor's own.
    pub(crate) fn load_file(&self, file: File) {
        let name = file.name();
        self.load(
            Source::File { file: name.clone() },
            Loading { file: name, ..Loading::default() },
            Some(file),
        );
    }

    fn load(&self, source: Source, loading: Loading, file: Option<File>) {
        if self.model.loading.with_untracked(Option::is_some) || self.chat.running_now() {
            return;
        }
        self.problem.set(None);
        self.model.forgotten.set(None);
        self.model.loaded.set(None);
        self.new_conversation();
        self.announce(format!("Loading {}.", loading.file));
        self.model.loading.set(Some(loading));
        self.start_engine();
        let context = self.model.context.get_untracked();
        self.bridge.send(&ToWorker::Load(Load { source, context }), file);
    }

    /// Ends the running load.
    pub(crate) fn cancel_load(&self) {
        if self.engine.with_untracked(|engine| matches!(engine, Engine::Ready(_))) {
            self.model.loading.update(|loading| {
                if let Some(loading) = loading {
                    loading.cancelling = true;
                }
            });
            self.bridge.send(&ToWorker::Abort, None);
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
        self.bridge.send(&ToWorker::ForgetModels, None);
    }

    pub(super) fn on_progress(&self, progress: LoadProgress) {
        let before = self.model.loading.with_untracked(|l| l.as_ref()?.progress.map(|p| p.stage));
        self.model.loading.update(|loading| {
            if let Some(loading) = loading {
                if before != Some(progress.stage) {
                    loading.rate = Rate::default();
                }
                loading.rate.record(progress.at_ms, progress.done);
                loading.progress = Some(progress);
            }
        });
        if before != Some(progress.stage) {
            self.announce(format!("{}.", crate::words::stage(progress.stage)));
        }
    }

    pub(super) fn on_loaded(&self, mut loaded: Loaded) {
        let loading = self.model.loading.try_update(Option::take).flatten();
        // The catalogue's name is the one the visitor chose by; files often carry a build's code name.
        let title = loading.and_then(|loading| loading.title);
        self.model.own_file.set(title.is_none());
        if let Some(title) = title {
            loaded.name = title;
        }
        self.announce(format!("{} is ready.", loaded.name));
        self.model.loaded.set(Some(loaded));
    }

    pub(super) fn on_forgotten(&self, bytes: u64) {
        let text = match bytes {
            0 => "No models were stored in this browser.".to_owned(),
            bytes => format!("Removed {} of stored models from this browser.", format::bytes(bytes as f64)),
        };
        self.announce(text.clone());
        self.model.forgotten.set(Some(text));
    }

    pub(super) fn on_load_failed(&self, operation: Operation, message: Option<String>) {
        self.model.loading.set(None);
        match message {
            Some(message) => self.fail(operation, message),
            None => self.announce("Loading was cancelled."),
        }
    }
}

impl Loading {
    /// How full the bar is, 0 to 1, and what stands beside it.
    pub(crate) fn standing(&self) -> (f64, String) {
        let Some(progress) = self.progress else {
            return (0.0, "Starting the engine…".to_owned());
        };
        let share = if progress.total > 0 { progress.done as f64 / progress.total as f64 } else { 0.0 };
        let done = format::bytes(progress.done as f64);
        let total = format::bytes(progress.total as f64);
        let pace = match (self.rate.bytes_per_second(), self.rate.seconds_left(progress.total)) {
            (Some(rate), Some(left)) => format!(", {}/s, {}", format::bytes(rate), format::left(left)),
            _ => String::new(),
        };
        // Packing counts the same bytes again; a rate in MB/s would look like a second download.
        let pace = if progress.stage == Stage::Pack { String::new() } else { pace };
        (share.clamp(0.0, 1.0), format!("{done} of {total}{pace}"))
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
