//! The simulated cloud beside the last answer: service, seed, connection, and what comes of them.

use std::sync::Arc;

use latency::cloud::{Connection, Percentiles};
use leptos::prelude::*;

use crate::compare::model::service::Service;
use crate::compare::model::simulated::{self, Spread};
use crate::compare::model::size::Size;
use crate::compare::model::timeline::{self, Timeline};
use crate::compare::model::yours::{self, Fit, Texts};
use crate::run::state::chat::Chat;
use crate::shared::clock::today;
use crate::shared::settings;

/// Gaps of "your numbers" until they are typed, should there be no preset to take them from, ms.
const GAP: Percentiles = Percentiles { p50: 5.0, p90: None, p99: 20.0 };

/// How long this tab takes for ten thousand requests, ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// All slices together, without the frames between them.
    pub(crate) took: f64,
    /// The longest slice.
    pub(crate) longest: f64,
}

/// A visitor's own numbers.
#[derive(Clone, Copy)]
pub(crate) struct Yours {
    /// Texts of the fields.
    pub(crate) texts: RwSignal<Texts>,
    /// The last samples that could be read.
    pub(crate) fit: RwSignal<Option<Fit>>,
    /// Why the last ones could not.
    pub(crate) problem: RwSignal<Option<String>>,
}

impl Yours {
    fn new(services: &[Service]) -> Self {
        let gap = services.iter().find_map(|service| match service {
            Service::Stages(preset) => Some(preset.inter_token),
            Service::Whole(_) => None,
        });
        let texts = RwSignal::new(yours::blank(gap.unwrap_or(GAP)));
        Self { texts, fit: RwSignal::new(None), problem: RwSignal::new(None) }
    }

    /// Fits samples from CSV or JSON and puts their percentiles into the fields.
    pub(crate) fn read(&self, text: &str) {
        match Fit::read(text) {
            Ok(fit) => {
                self.texts.update(|texts| texts[..3].clone_from_slice(&fit.filled));
                self.fit.set(Some(fit));
                self.problem.set(None);
            }
            Err(problem) => self.problem.set(Some(problem)),
        }
    }
}

/// The comparison's part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Race {
    services: StoredValue<Vec<Service>>,
    /// Position of the chosen service; one past the last is the visitor's own.
    pub(crate) chosen: RwSignal<usize>,
    /// The visitor's own numbers.
    pub(crate) yours: Yours,
    /// The chosen service, or why there is none.
    pub(crate) service: Memo<Result<Arc<Service>, String>>,
    /// Text of the seed field.
    pub(crate) seed: RwSignal<String>,
    /// The connection that the simulated request finds or opens.
    pub(crate) connection: RwSignal<Connection>,
    /// The size of the request that both sides handle.
    pub(crate) size: Memo<Size>,
    /// The measured timeline, once there is an answer.
    pub(crate) here: Memo<Option<Timeline>>,
    /// The simulated timeline and its spread, or why there is none.
    pub(crate) cloud: Memo<Result<(Timeline, Spread), String>>,
    /// How long ten thousand requests took, once that was tried.
    pub(crate) pace: RwSignal<Option<Pace>>,
}

impl Race {
    pub(crate) fn new(chat: Chat) -> Self {
        let all = Service::all();
        let own = all.len();
        let yours = Yours::new(&all);
        let services = StoredValue::new(all);
        let chosen = RwSignal::new(0);
        let seed = RwSignal::new("1".to_owned());
        let connection = RwSignal::new(Connection::Cold);
        let service = Memo::new(move |_| {
            let at = chosen.get();
            if at < own {
                return Ok(Arc::new(services.with_value(|all| all[at].clone())));
            }
            let fit = yours.fit.get();
            let published = yours.texts.with(|texts| yours::read(texts, fit.as_ref(), &today()))?;
            Ok(Arc::new(Service::Whole(published)))
        });
        let size = Memo::new(move |_| chat.measured.with(|recording| Size::of(recording.as_ref())));
        let cloud = Memo::new(move |_| {
            let seed = seed.with(|text| settings::read_seed(text))?;
            simulated::cloud(&*service.get()?, size.get(), connection.get(), seed)
        });
        Self {
            services,
            chosen,
            yours,
            service,
            seed,
            connection,
            size,
            here: Memo::new(move |_| {
                chat.measured.with(|recording| recording.as_ref().and_then(timeline::here))
            }),
            cloud,
            pace: RwSignal::new(None),
        }
    }

    /// One request of this size with what is chosen; `None` while that cannot be read.
    pub(crate) fn simulate(&self, size: Size) -> Option<Timeline> {
        let seed = self.seed.with_untracked(|text| settings::read_seed(text)).ok()?;
        let service = self.service.get_untracked().ok()?;
        let request = size.request(self.connection.get_untracked());
        service.simulator().ok().map(|simulator| simulator.timeline(&request, seed))
    }

    /// Names of the services, in order, and whether each is published end to end; the visitor's own are not among them.
    pub(crate) fn labels(&self) -> Vec<(String, bool)> {
        let told = |service: &Service| (service.label().to_owned(), service.is_whole());
        self.services.with_value(|all| all.iter().map(told).collect())
    }

    /// Chooses a service by position.
    pub(crate) fn choose(&self, index: usize) {
        if index <= self.services.with_value(Vec::len) {
            self.chosen.set(index);
        }
    }

    /// Whether the visitor's own numbers are chosen.
    pub(crate) fn is_yours(&self) -> bool {
        self.chosen.get() == self.services.with_value(Vec::len)
    }

    /// Whether the chosen times include the network.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_yours()
            || self.service.with(|service| service.as_ref().is_ok_and(|service| service.is_whole()))
    }

    /// Name of the chosen service.
    pub(crate) fn name(&self) -> String {
        self.told(|service| service.label().to_owned(), "Your numbers")
    }

    /// The label that every simulated number must carry.
    pub(crate) fn label(&self) -> String {
        let what = if self.is_yours() { "numbers put in" } else { "sources looked up" };
        let retrieved = self.told(|service| service.retrieved().to_owned(), "today");
        format!("simulated: {}; seed {}; {what} {retrieved}", self.name(), self.seed.get().trim())
    }

    /// The same in the summary's width; the whole of it is in the title.
    pub(crate) fn short_label(&self) -> String {
        let id = self.told(|service| service.id().to_owned(), "yours");
        format!("simulated, {id}, seed {}", self.seed.get().trim())
    }

    /// `otherwise`: for the visitor's own numbers while they cannot be read.
    fn told(&self, read: impl FnOnce(&Service) -> String, otherwise: &str) -> String {
        self.service
            .with(|service| service.as_ref().map_or_else(|_| otherwise.to_owned(), |service| read(service)))
    }
}
