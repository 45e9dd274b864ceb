//! A thread beside this worker: a nested worker that runs the same module on the same memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::cpu::WorkerThread;
use js_sys::{Array, Promise};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::{defects, js};

/// Script of a thread, beside `worker.js`.
const ENTRY: &str = "thread.js";

/// How long a thread may take to start, ms. It takes some fifty; a machine under load takes longer.
const PATIENCE_MS: i32 = 20_000;

/// First message of a thread's script when all is well.
const STARTED: &str = "started";

/// Members whose threads are on their way, by number. Every thread sees the same one, as all statics.
static WAITING: Mutex<BTreeMap<u32, WorkerThread>> = Mutex::new(BTreeMap::new());

static NEXT: AtomicU32 = AtomicU32::new(0);

fn waiting() -> MutexGuard<'static, BTreeMap<u32, WorkerThread>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a thread from its start to the end of the pool; called by `thread.js` with the number it was given.
pub(crate) fn run(number: u32) {
    let thread = waiting().remove(&number);
    // A thread that comes so late that nobody waits for it any more finds none.
    if let Some(thread) = thread {
        thread.run();
    }
}

/// A nested worker on its way.
pub(super) struct NestedWorker {
    number: u32,
    worker: Worker,
    /// Resolves with the first that happens: a message, an error, or undefined when it takes too long.
    first: Promise,
}

impl NestedWorker {
    pub(super) fn start(thread: WorkerThread) -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        // The same query, since it names the build.
        let script = format!("{ENTRY}{}", js::scope().location().search());
        let worker = Worker::new_with_options(&script, &options)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let broken = thread.broken() as u32;
        waiting().insert(number, thread);
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
    pub(super) async fn started(self) -> Result<(), String> {
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

/// Whether a thread started, by its first event.
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
