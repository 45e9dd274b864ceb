//! The model: what is on offer, what is being loaded, what is loaded.

use leptos::prelude::*;
use protocol::{
    Inspected, LoadProgress, Loaded, Models, Precision, Preference, Probed, Report, Source, Stage,
};
use web_sys::File;

use crate::run::model::catalogue::Entry;
use crate::run::model::choices::{self, Choice};
use crate::run::model::fit;
use crate::run::model::load_choice::{self, Got, Wish};
use crate::run::model::predict::Answered;
use crate::run::model::rate::Rate;
use crate::shared::format;

/// Positions the context is allocated for unless the visitor chooses otherwise: ample for the tasks here, and
/// small enough for a phone.
const CONTEXT: u32 = 2_048;

/// Models on offer on this site.
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
    pub(in crate::run) title: Option<String>,
    /// Where it stands; `None` until the worker has said something.
    pub(crate) progress: Option<LoadProgress>,
    /// How far the GPU's kernels are, which are made while the model is on its way.
    pub(crate) compiling: Option<LoadProgress>,
    /// How fast it goes.
    pub(crate) rate: Rate,
    /// Whether the visitor asked to end it.
    pub(crate) cancelling: bool,
}

/// A load, as it was asked for.
#[derive(Clone, Debug)]
pub(in crate::run) struct Request {
    pub(in crate::run) source: Source,
    /// File name.
    pub(in crate::run) file: String,
    /// Name in the catalogue; a file of the visitor's own has none.
    pub(in crate::run) title: Option<String>,
    /// The visitor's files.
    pub(in crate::run) files: Vec<File>,
}

/// The model's part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    /// Models on offer on this site.
    pub(crate) offers: RwSignal<Offers>,
    /// A load that is under way.
    pub(crate) loading: RwSignal<Option<Loading>>,
    /// The model that can be prompted.
    pub(crate) loaded: RwSignal<Option<Loaded>>,
    /// Whether that one is a file of the visitor's own.
    pub(crate) own_file: RwSignal<bool>,
    /// The load that was asked for last, to load the same again with another backend.
    pub(in crate::run) last: StoredValue<Option<Request>, LocalStorage>,
    /// Models stored in this browser; `None` until the worker was asked.
    pub(crate) stored: RwSignal<Option<Models>>,
    /// Key of the model that is chosen; the first one where it is not there.
    pub(crate) chosen: RwSignal<Option<String>>,
    /// Whether a file of the visitor's own is to be kept.
    pub(crate) keep: RwSignal<bool>,
    /// What the file that is looked into says of itself.
    pub(crate) inspected: RwSignal<Option<Inspected>>,
    /// The processor's pace, once it was timed.
    pub(crate) pace: RwSignal<Option<Probed>>,
    /// Whether it is being timed.
    pub(crate) probing: RwSignal<bool>,
    /// Speeds of the loaded model's last answer on the processor.
    pub(crate) answered: RwSignal<Option<Answered>>,
    /// Positions to allocate the context for.
    pub(crate) context: RwSignal<u32>,
    /// The backend asked for.
    pub(crate) preference: RwSignal<Preference>,
    /// Text of the field for the kernels' variant.
    pub(crate) variant: RwSignal<String>,
    /// Threads asked for; 0 for as many as are good.
    pub(crate) threads: RwSignal<u32>,
    /// How finely activations are quantised while prompts are read.
    pub(crate) reading: RwSignal<Precision>,
    /// Options that the model was loaded with.
    pub(in crate::run) wished: RwSignal<Option<Wish>>,
    /// The backend's report, once a model is loaded.
    pub(crate) report: RwSignal<Option<Report>>,
    /// Result of "forget stored models".
    pub(crate) forgotten: RwSignal<Option<String>>,
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            offers: RwSignal::new(Offers::Asking),
            loading: RwSignal::new(None),
            loaded: RwSignal::new(None),
            own_file: RwSignal::new(false),
            last: StoredValue::new_local(None),
            stored: RwSignal::new(None),
            chosen: RwSignal::new(None),
            keep: RwSignal::new(false),
            inspected: RwSignal::new(None),
            pace: RwSignal::new(None),
            probing: RwSignal::new(false),
            answered: RwSignal::new(None),
            context: RwSignal::new(CONTEXT),
            preference: RwSignal::new(Preference::Automatic),
            variant: RwSignal::new(load_choice::MEASURED.to_owned()),
            threads: RwSignal::new(0),
            reading: RwSignal::new(Precision::default()),
            wished: RwSignal::new(None),
            report: RwSignal::new(None),
            forgotten: RwSignal::new(None),
        }
    }

    /// Every model that can be loaded, the catalogue's first.
    pub(crate) fn choices(&self) -> Vec<Choice> {
        let entries = self.offers.with(|offers| match offers {
            Offers::Models(entries) => entries.clone(),
            Offers::Asking | Offers::Missing(_) => Vec::new(),
        });
        self.stored.with(|stored| choices::choices(&entries, stored.as_ref().unwrap_or(&Models::default())))
    }

    /// The model to load: the one chosen, or the first.
    pub(crate) fn choice(&self) -> Option<Choice> {
        let mut all = self.choices();
        let chosen = self.chosen.get();
        let at = all.iter().position(|choice| Some(&choice.key) == chosen.as_ref()).unwrap_or(0);
        (at < all.len()).then(|| all.swap_remove(at))
    }

    /// The first model on offer on this site.
    pub(crate) fn offer(&self) -> Option<Entry> {
        self.offers.with(|offers| match offers {
            Offers::Models(entries) => entries.first().cloned(),
            Offers::Asking | Offers::Missing(_) => None,
        })
    }

    /// Options that a load would be asked for now.
    pub(in crate::run) fn wish(&self) -> Wish {
        Wish {
            context: self.context.get(),
            preference: self.preference.get(),
            variant: self.variant.with(|typed| load_choice::variant(typed)),
            threads: self.threads.get(),
            reading: self.reading.get(),
        }
    }

    /// Label of the button that loads the model again as is wished now; `None` where nothing would change.
    pub(crate) fn again(&self) -> Option<String> {
        let got = |loaded: &Loaded| Got { context: loaded.context, threads: loaded.threads };
        let got = self.loaded.with(|loaded| loaded.as_ref().map(got))?;
        self.wished.with(|wished| wished.as_ref().and_then(|wished| self.wish().again(wished, got)))
    }

    /// Why the loaded model's context is shorter than was asked for, a sentence.
    pub(crate) fn shortened(&self, loaded: &Loaded) -> Option<String> {
        let asked = self.wished.with(|wished| wished.as_ref().map(|wished| wished.context))?;
        fit::shortened(asked, loaded.context, loaded.lowered)
    }

    /// The variant that was asked for and is not the one that runs.
    pub(crate) fn refused_variant(&self) -> Option<String> {
        let asked = self.wished.with(|wished| wished.as_ref()?.variant.clone())?;
        let runs = self.report.with(|report| report.as_ref()?.variant.clone())?;
        (asked != runs).then_some(asked)
    }
}

impl Loading {
    pub(in crate::run) fn record(&mut self, progress: LoadProgress) {
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

    /// The stage that holds the load up: the bytes first, then kernels that are not made yet.
    pub(crate) fn shown(&self) -> Option<LoadProgress> {
        let whole = |progress: &LoadProgress| progress.done >= progress.total;
        let arriving = |progress: &LoadProgress| {
            matches!(progress.stage, Stage::Download | Stage::Storage | Stage::Keep)
        };
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
            let done = format::bytes(progress.done as f64);
            let total = format::bytes(progress.total as f64);
            format!("{done} of {total}")
        };
        let words = match progress.stage {
            Stage::Compile => format!("{} of {} kernels", progress.done, progress.total),
            Stage::Check => format!("step {} of {}", progress.done, progress.total),
            // Packing counts the same bytes again; a rate in MB/s would look like a second download.
            Stage::Pack => bytes(),
            Stage::Download | Stage::Storage | Stage::Keep => format!("{}{pace}", bytes()),
        };
        (share.clamp(0.0, 1.0), words)
    }
}
