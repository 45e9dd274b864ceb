//! The model: what is on offer, what is being loaded, what is loaded.

use js_sys::Promise;
use leptos::prelude::*;
use protocol::{Load, LoadProgress, Loaded, Operation, Preference, Report, Source, Stage, ToWorker};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, RequestCache, RequestInit, Response};

use crate::app::{App, Engine};
use crate::run::model::backend::{self, Got, Wish};
use crate::run::model::catalogue::{self, Entry};
use crate::run::model::rate::Rate;
use crate::shared::format;

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
    /// How far the GPU's kernels are, which are made while the model is on its way.
    pub(crate) compiling: Option<LoadProgress>,
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
    /// That file, to load it again with another backend.
    picked: StoredValue<Option<File>, LocalStorage>,
    /// Positions to allocate the context for.
    pub(crate) context: RwSignal<u32>,
    /// The backend asked for.
    pub(crate) preference: RwSignal<Preference>,
    /// What stands in the field for the kernels' variant.
    pub(crate) variant: RwSignal<String>,
    /// Threads asked for; 0 for as many as are good.
    pub(crate) threads: RwSignal<u32>,
    /// What the model was loaded with.
    wished: RwSignal<Option<Wish>>,
    /// What computes, and why, once a model is loaded.
    pub(crate) report: RwSignal<Option<Report>>,
    /// What became of "forget stored models".
    pub(crate) forgotten: RwSignal<Option<String>>,
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            offers: RwSignal::new(Offers::Asking),
            loading: RwSignal::new(None),
            loaded: RwSignal::new(None),
            own_file: RwSignal::new(false),
            picked: StoredValue::new_local(None),
            context: RwSignal::new(CONTEXT),
            preference: RwSignal::new(Preference::Automatic),
            variant: RwSignal::new(backend::MEASURED.to_owned()),
            threads: RwSignal::new(0),
            wished: RwSignal::new(None),
            report: RwSignal::new(None),
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

    /// What would be asked of a load now.
    fn wish(&self) -> Wish {
        Wish {
            context: self.context.get(),
            preference: self.preference.get(),
            variant: self.variant.with(|typed| backend::variant(typed)),
            threads: self.threads.get(),
        }
    }

    /// What the button says that loads the model again as is wished now; `None` where nothing would change.
    pub(crate) fn again(&self) -> Option<String> {
        let got = |loaded: &Loaded| Got { context: loaded.context, threads: loaded.threads };
        let got = self.loaded.with(|loaded| loaded.as_ref().map(got))?;
        self.wished.with(|wished| wished.as_ref().and_then(|wished| self.wish().again(wished, got)))
    }

    /// The variant that was asked for and is not the one that runs.
    pub(crate) fn refused_variant(&self) -> Option<String> {
        let asked = self.wished.with(|wished| wished.as_ref()?.variant.clone())?;
        let runs = self.report.with(|report| report.as_ref()?.variant.clone())?;
        (asked != runs).then_some(asked)
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
        self.load_offer_with(true);
    }

    fn load_offer_with(&self, remember: bool) {
        if let Some(entry) = untrack(|| self.model.offer()) {
            let source = entry.source();
            let loading = Loading { file: entry.file, title: Some(entry.name), ..Loading::default() };
            self.load(source, loading, None, remember);
        }
    }

    /// Loads the same model once more; `remember` lets an earlier self-check stand.
    pub(crate) fn load_again(&self, remember: bool) {
        match self.model.picked.get_value().filter(|_| self.model.own_file.get_untracked()) {
            Some(file) => self.load_file_with(file, remember),
            None => self.load_offer_with(remember),
        }
    }

    /// Loads a file of the visitor's own.
    pub(crate) fn load_file(&self, file: File) {
        self.load_file_with(file, true);
    }

    fn load_file_with(&self, file: File, remember: bool) {
        let name = file.name();
        self.model.picked.set_value(Some(file.clone()));
        let loading = Loading { file: name.clone(), ..Loading::default() };
        self.load(Source::File { file: name }, loading, Some(file), remember);
    }

    fn load(&self, source: Source, loading: Loading, file: Option<File>, remember: bool) {
        if self.model.loading.with_untracked(Option::is_some) || untrack(|| self.busy()) {
            return;
        }
        self.problem.set(None);
        self.model.forgotten.set(None);
        self.model.loaded.set(None);
        self.model.report.set(None);
        self.bench.forget();
        self.new_conversation();
        self.announce(format!("Loading {}.", loading.file));
        self.model.loading.set(Some(loading));
        self.start_engine();
        let wish = untrack(|| self.model.wish());
        let Wish { context, preference, variant, threads } = wish.clone();
        self.model.wished.set(Some(wish));
        let load = Load { source, context, backend: preference, variant, threads, remember };
        self.bridge.send(&ToWorker::Load(load), file);
    }

    /// Ends the running load.
    pub(crate) fn cancel_load(&self) {
        if self.engine.get_untracked() == Engine::Ready {
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
            self.announce(format!("{}.", crate::shared::words::stage(stage)));
        }
    }

    pub(crate) fn on_loaded(&self, mut loaded: Loaded) {
        let loading = self.model.loading.try_update(Option::take).flatten();
        // The catalogue's name is the one the visitor chose by; files often carry a build's code name.
        let title = loading.and_then(|loading| loading.title);
        self.model.own_file.set(title.is_none());
        if let Some(title) = title {
            loaded.name = title;
        }
        self.announce(format!("{} is ready.", loaded.name));
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
    }

    pub(crate) fn on_load_failed(&self, operation: Operation, message: Option<String>) {
        self.model.loading.set(None);
        match message {
            Some(message) => self.fail(operation, message),
            None => self.announce("Loading was cancelled."),
        }
    }
}

impl Loading {
    fn record(&mut self, progress: LoadProgress) {
        if progress.stage == Stage::Compile {
            self.compiling = Some(progress);
            return;
        }
        if self.progress.map(|before| before.stage) != Some(progress.stage) {
            self.rate = Rate::default();
        }
        self.rate.record(progress.at_ms, progress.done);
        self.progress = Some(progress);
    }

    /// What is waited for: the bytes first, then kernels that are not made yet.
    pub(crate) fn shown(&self) -> Option<LoadProgress> {
        let whole = |progress: &LoadProgress| progress.done >= progress.total;
        let arriving = |progress: &LoadProgress| matches!(progress.stage, Stage::Download | Stage::Storage);
        match (self.progress, self.compiling.filter(|compiling| !whole(compiling))) {
            (Some(progress), Some(compiling)) if arriving(&progress) && whole(&progress) => Some(compiling),
            (progress, _) => progress,
        }
    }

    /// How far the kernels are, beside the bytes that are waited for.
    pub(crate) fn beside(&self) -> Option<String> {
        let compiling = self.compiling.filter(|_| self.shown().is_some_and(|p| p.stage != Stage::Compile))?;
        Some(format!("GPU kernels made meanwhile: {} of {}", compiling.done, compiling.total))
    }

    /// How full the bar is, 0 to 1, and what stands beside it.
    pub(crate) fn standing(&self) -> (f64, String) {
        let Some(progress) = self.shown() else {
            return (0.0, "Starting the engine…".to_owned());
        };
        let share = if progress.total > 0 { progress.done as f64 / progress.total as f64 } else { 0.0 };
        let pace = match (self.rate.bytes_per_second(), self.rate.seconds_left(progress.total)) {
            (Some(rate), Some(left)) => format!(", {}/s, {}", format::bytes(rate), format::left(left)),
            _ => String::new(),
        };
        let bytes = || {
            let (done, total) = (format::bytes(progress.done as f64), format::bytes(progress.total as f64));
            format!("{done} of {total}")
        };
        let words = match progress.stage {
            Stage::Compile => format!("{} of {} kernels", progress.done, progress.total),
            Stage::Check => format!("step {} of {}", progress.done, progress.total),
            // Packing counts the same bytes again; a rate in MB/s would look like a second download.
            Stage::Pack => bytes(),
            Stage::Download | Stage::Storage => format!("{}{pace}", bytes()),
        };
        (share.clamp(0.0, 1.0), words)
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
