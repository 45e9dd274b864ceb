//! Threads that compute beside this worker: nested workers that run the same module on the same memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::cpu::{Member, Pool};
use js_sys::{Array, Promise};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::variant::SHARED;
use crate::{defects, js};

/// Script of a thread, beside `worker.js`.
const ENTRY: &str = "thread.js";

/// Threads without being asked for more: so many keep every memory bus busy that browsers run on.
const UNASKED: u32 = 8;

/// Threads at most, whoever asks.
const MOST: u32 = 64;

/// How long a thread may take to start, ms. It takes some fifty; a machine under load takes longer.
const PATIENCE_MS: i32 = 20_000;

/// What a thread's script says first when all is well.
const STARTED: &str = "started";

/// Members whose threads are on their way, by number. Every thread sees the same one, as all statics.
static WAITING: Mutex<BTreeMap<u32, Member>> = Mutex::new(BTreeMap::new());

static NEXT: AtomicU32 = AtomicU32::new(0);

fn waiting() -> MutexGuard<'static, BTreeMap<u32, Member>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Most threads this build can compute on, here.
pub(crate) fn most() -> u32 {
    match SHARED {
        true => (js::scope().navigator().hardware_concurrency() as u32).clamp(1, MOST),
        false => 1,
    }
}

/// How many threads it shall be: 0 asks for as many as are good, on a machine that has `cores`.
pub(crate) fn threads(asked: u32, cores: u32) -> usize {
    let wanted = match asked {
        0 => cores.min(UNASKED),
        asked => asked.min(MOST),
    };
    wanted.max(1) as usize
}

/// The threads there are, from one load to the next.
#[derive(Default)]
pub(crate) struct Crew(RefCell<Option<Arc<Pool>>>);

impl Crew {
    /// As many threads as a load asks for; if they cannot be started it is this one alone, and why.
    pub(crate) async fn of(&self, asked: u32) -> (Arc<Pool>, Option<String>) {
        let threads = if SHARED { threads(asked, most()) } else { 1 };
        if let Some(pool) = self.0.borrow().as_ref().filter(|pool| pool.threads() == threads) {
            return (Arc::clone(pool), None);
        }
        // The threads of a pool that nobody holds end by themselves.
        self.0.take();
        let (pool, cause) = match start(threads).await {
            Ok(pool) => (Arc::new(pool), None),
            Err(cause) => (Pool::alone(), Some(cause)),
        };
        self.0.replace(Some(Arc::clone(&pool)));
        (pool, cause)
    }
}

async fn start(threads: usize) -> Result<Pool, String> {
    let (pool, members) = Pool::new(threads);
    // All at once, then one after the other is waited for.
    let helpers = members.into_iter().map(Helper::start).collect::<Result<Vec<_>, _>>();
    for helper in helpers.map_err(|thrown| js::describe(&thrown))? {
        helper.ready().await?;
    }
    Ok(pool)
}

/// What a thread does, from its start to the end of the pool; called by `thread.js` with the number it was given.
pub(crate) fn run(number: u32) {
    let member = waiting().remove(&number);
    // A thread that comes so late that nobody waits for it any more finds none.
    if let Some(member) = member {
        member.run();
    }
}

/// A thread on its way.
struct Helper {
    number: u32,
    worker: Worker,
    /// Resolves with the first that happens: a message, an error, or undefined when it takes too long.
    first: Promise,
}

impl Helper {
    fn start(member: Member) -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        // The same query, since it names the build.
        let script = format!("{ENTRY}{}", js::scope().location().search());
        let worker = Worker::new_with_options(&script, &options)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let broken = member.broken() as u32;
        waiting().insert(number, member);
        let first = Promise::new(&mut |resolve, _reject| {
            worker.set_onmessage(Some(&resolve));
            worker.set_onerror(Some(&resolve));
            js::scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, PATIENCE_MS).ok();
        });
        let parts = [wasm_bindgen::module(), wasm_bindgen::memory(), number.into(), broken.into()];
        worker.post_message(&parts.into_iter().collect::<Array>())?;
        Ok(Self { number, worker, first })
    }

    /// Waits until it runs. From then on its end, which is always an accident, is told to the page.
    async fn ready(self) -> Result<(), String> {
        let event = self.first.await.map_err(|thrown| js::describe(&thrown))?;
        self.worker.set_onerror(None);
        if let Err(cause) = outcome(&event) {
            self.worker.set_onmessage(None);
            waiting().remove(&self.number);
            return Err(cause);
        }
        let stopped = Closure::<dyn Fn(MessageEvent)>::new(|event: MessageEvent| {
            if let Some(cause) = event.data().as_string() {
                defects::tell(&format!("one of its threads stopped: {cause}"));
            }
        });
        // It may stop for as long as this worker lives.
        self.worker.set_onmessage(Some(stopped.into_js_value().unchecked_ref()));
        Ok(())
    }
}

/// What the first event of a thread says.
pub(crate) fn outcome(event: &JsValue) -> Result<(), String> {
    let said = |key| js::get(event, key).as_string();
    match (said("data"), said("message")) {
        (Some(word), _) if word == STARTED => Ok(()),
        (Some(cause), _) | (None, Some(cause)) => Err(cause),
        (None, None) if event.is_undefined() => {
            Err(format!("a thread did not start within {} seconds", PATIENCE_MS / 1_000))
        }
        (None, None) => Err(format!("{ENTRY} or a part of it could not be loaded")),
    }
}
