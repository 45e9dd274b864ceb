//! The bridge to the engine's worker: starts it, restarts it, and carries messages both ways.
//!
//! The worker is started by the first message to it, so that nothing of the engine is downloaded before a
//! visitor asks for it. Frequent messages (tokens, progress) are kept and handed on once per animation frame;
//! any other message hands the kept ones on first, so order holds and nothing waits in a hidden tab.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use protocol::{Failure, FailureKind, FromWorker, ToWorker};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, File, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::engine_link::builds::{Build, Fallback};

/// Entry of the worker, relative to the page; what stands after it names the engine's build.
const ENTRY: &str = "worker.js?engine=";

/// A copyable handle; everything runs on the page's one thread.
#[derive(Clone, Copy)]
pub(crate) struct Bridge(StoredValue<Shared, LocalStorage>);

type Shared = Rc<RefCell<Inner>>;
type Callback<T> = Rc<dyn Fn(T)>;

#[derive(Default)]
struct Inner {
    worker: Option<LiveWorker>,
    /// The builds to try, and which of them is tried or runs.
    builds: Vec<Build>,
    tried: usize,
    /// Whether the running worker has said that it is ready.
    ready: bool,
    /// Messages to send once it is.
    waiting: Vec<(String, Vec<File>)>,
    /// Frequent messages kept for the next frame.
    kept: Vec<FromWorker>,
    frame_asked: bool,
    on_message: Option<Callback<FromWorker>>,
    on_crash: Option<Callback<String>>,
    on_fallback: Option<Callback<Fallback>>,
    on_file: Option<Callback<(String, File)>>,
}

/// A worker with the callbacks that must live as long as it does.
struct LiveWorker {
    worker: Worker,
    /// Rung before each message, where there is one: an answer under way looks for messages only then.
    doorbell: Option<js_sys::Int32Array>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _error: Closure<dyn FnMut(ErrorEvent)>,
}

impl Bridge {
    pub(crate) fn new() -> Self {
        Self(StoredValue::new_local(Shared::default()))
    }

    /// Sets what receives the worker's messages.
    pub(crate) fn on_message(&self, receive: impl Fn(FromWorker) + 'static) {
        self.shared().borrow_mut().on_message = Some(Rc::new(receive));
    }

    /// Sets what is told when the worker had to be ended.
    pub(crate) fn on_crash(&self, told: impl Fn(String) + 'static) {
        self.shared().borrow_mut().on_crash = Some(Rc::new(told));
    }

    /// Sets what is told when a build of the engine did not start and the next one is tried.
    pub(crate) fn on_fallback(&self, told: impl Fn(Fallback) + 'static) {
        self.shared().borrow_mut().on_fallback = Some(Rc::new(told));
    }

    /// Sets what receives a stored model's file, with the name to save it under.
    pub(crate) fn on_file(&self, receive: impl Fn((String, File)) + 'static) {
        self.shared().borrow_mut().on_file = Some(Rc::new(receive));
    }

    /// Sets the engine's builds that are tried, in this order.
    pub(crate) fn set_builds(&self, builds: Vec<Build>) {
        self.shared().borrow_mut().builds = builds;
    }

    /// Sends a message; starts the worker if need be.
    pub(crate) fn send(&self, message: &ToWorker) {
        self.send_with(message, Vec::new());
    }

    /// Sends a message with the files that it speaks of; starts the worker if need be.
    pub(crate) fn send_with(&self, message: &ToWorker, files: Vec<File>) {
        let shared = self.shared();
        let text = match serde_json::to_string(message) {
            Ok(text) => text,
            Err(error) => return crash(&shared, format!("A message could not be written: {error}.")),
        };
        let ready = {
            let mut inner = shared.borrow_mut();
            if !inner.ready {
                inner.waiting.push((text.clone(), files.clone()));
            }
            inner.ready
        };
        if ready {
            post(&shared, &text, &files);
        } else if shared.borrow().worker.is_none()
            && let Err(error) = start(&shared)
        {
            crash(&shared, format!("The engine’s worker could not be started: {}.", told(&error)));
        }
    }

    /// Ends the worker; the next message starts a fresh one.
    pub(crate) fn stop(&self) {
        discard(&self.shared());
    }

    fn shared(&self) -> Shared {
        self.0.get_value()
    }
}

/// Starts the worker and listens to it.
fn start(shared: &Shared) -> Result<(), JsValue> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    let build = {
        let inner = shared.borrow();
        inner.builds.get(inner.tried).map_or("", |build| build.name)
    };
    let worker = Worker::new_with_options(&format!("{ENTRY}{build}"), &options)?;
    let message = {
        let shared = shared.clone();
        Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| received(&shared, &event))
    };
    let error = {
        let shared = shared.clone();
        Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            // A worker script that cannot be fetched or parsed brings an event without a message.
            let cause = js_sys::Reflect::get(&event, &"message".into()).ok().and_then(|m| m.as_string());
            let cause = cause.unwrap_or_else(|| "its script or a part of it could not be loaded".to_owned());
            broke(&shared, cause);
        })
    };
    worker.set_onmessage(Some(message.as_ref().unchecked_ref()));
    worker.set_onerror(Some(error.as_ref().unchecked_ref()));
    shared.borrow_mut().worker =
        Some(LiveWorker { worker, doorbell: None, _message: message, _error: error });
    Ok(())
}

/// Takes the worker away and forgets what it said or was about to be told.
fn discard(shared: &Shared) {
    let mut inner = shared.borrow_mut();
    inner.ready = false;
    inner.waiting.clear();
    inner.kept.clear();
    if let Some(running) = inner.worker.take() {
        running.worker.set_onmessage(None);
        running.worker.set_onerror(None);
        running.worker.terminate();
        // The callback that led here may still be on the stack; it is dropped in a later task.
        set_timeout(move || drop(running), std::time::Duration::ZERO);
    }
}

/// The worker broke off. Before it was ready, the next build is tried, and what waits is for that one.
fn broke(shared: &Shared, cause: String) {
    let (ready, build, next) = {
        let inner = shared.borrow();
        (inner.ready, inner.builds.get(inner.tried).copied(), inner.tried + 1)
    };
    if ready {
        return crash(shared, format!("The engine stopped unexpectedly: {cause}."));
    }
    let (Some(build), true) = (build, next < shared.borrow().builds.len()) else {
        return crash(shared, format!("The engine could not start: {cause}."));
    };
    let waiting = std::mem::take(&mut shared.borrow_mut().waiting);
    discard(shared);
    let told_fallback = {
        let mut inner = shared.borrow_mut();
        (inner.waiting, inner.tried) = (waiting, next);
        inner.on_fallback.clone()
    };
    if let Some(told_fallback) = told_fallback {
        told_fallback(Fallback { build, cause });
    }
    if let Err(error) = start(shared) {
        crash(shared, format!("The engine’s worker could not be started: {}.", told(&error)));
    }
}

/// Ends the worker and tells why; the next message starts a fresh one, of the best build where none was ready: it may
/// have been the network.
fn crash(shared: &Shared, message: String) {
    if !shared.borrow().ready {
        shared.borrow_mut().tried = 0;
    }
    discard(shared);
    let told = shared.borrow().on_crash.clone();
    if let Some(told) = told {
        told(message);
    }
}

/// Posts `[json]` or `[json, File, …]`.
fn post(shared: &Shared, text: &str, files: &[File]) {
    let parts = js_sys::Array::of1(&text.into());
    for file in files {
        parts.push(file);
    }
    let posted = match &shared.borrow().worker {
        Some(running) => {
            running.doorbell.iter().for_each(|doorbell| drop(js_sys::Atomics::add(doorbell, 0, 1)));
            running.worker.post_message(&parts)
        }
        None => Ok(()),
    };
    if let Err(error) = posted {
        crash(shared, format!("The engine could not be reached: {}.", told(&error)));
    }
}

/// Reads what the worker posted, `[json, …]`, message by message.
fn received(shared: &Shared, event: &MessageEvent) {
    let parts = js_sys::Array::from(&event.data());
    for part in parts.iter() {
        match part.as_string().map(|text| serde_json::from_str(&text)) {
            Some(Ok(message)) => take(shared, message, &parts),
            Some(Err(error)) => {
                return crash(shared, format!("The engine sent a message that cannot be read: {error}."));
            }
            // The doorbell, which goes with the first message, or a stored model's file.
            None => {}
        }
    }
}

/// Keeps a message or hands it on. `parts`: what came with it.
fn take(shared: &Shared, message: FromWorker, parts: &js_sys::Array) {
    match message {
        FromWorker::Token(_) | FromWorker::Prefill(_) | FromWorker::LoadProgress(_) => keep(shared, message),
        FromWorker::Failed(Failure { kind: FailureKind::Internal, message, .. }) => {
            hand_on(shared);
            broke(shared, message);
        }
        FromWorker::Ready(_) => {
            let waiting = {
                let mut inner = shared.borrow_mut();
                inner.ready = true;
                if let Some(running) = &mut inner.worker {
                    running.doorbell = parts.get(1).dyn_into().ok();
                }
                std::mem::take(&mut inner.waiting)
            };
            tell(shared, message);
            for (text, files) in waiting {
                post(shared, &text, &files);
            }
        }
        FromWorker::Exported { file } => {
            let receive = shared.borrow().on_file.clone();
            if let (Some(receive), Ok(bytes)) = (receive, parts.get(parts.length() - 1).dyn_into()) {
                receive((file, bytes));
            }
        }
        other => {
            hand_on(shared);
            tell(shared, other);
        }
    }
}

/// Keeps a frequent message until the next frame.
fn keep(shared: &Shared, message: FromWorker) {
    let mut inner = shared.borrow_mut();
    // Two stages may be under way at once; each keeps its last word.
    let newer_progress = match (&message, inner.kept.last()) {
        (FromWorker::LoadProgress(new), Some(FromWorker::LoadProgress(old))) => new.stage == old.stage,
        _ => false,
    };
    if newer_progress {
        inner.kept.pop();
    }
    inner.kept.push(message);
    if !std::mem::replace(&mut inner.frame_asked, true) {
        let shared = shared.clone();
        request_animation_frame(move || {
            shared.borrow_mut().frame_asked = false;
            hand_on(&shared);
        });
    }
}

/// Hands every kept message on, as one change to what is shown.
fn hand_on(shared: &Shared) {
    let kept = std::mem::take(&mut shared.borrow_mut().kept);
    for message in kept {
        tell(shared, message);
    }
}

fn tell(shared: &Shared, message: FromWorker) {
    let receive = shared.borrow().on_message.clone();
    if let Some(receive) = receive {
        receive(message);
    }
}

/// A thrown value in words.
fn told(error: &JsValue) -> String {
    let message = js_sys::Reflect::get(error, &"message".into()).ok().and_then(|m| m.as_string());
    message.unwrap_or_else(|| "no cause given".to_owned())
}
