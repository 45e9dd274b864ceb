//! The engine inside a dedicated Web Worker: protocol in, models and tokens, protocol out.
//!
//! This is the only crate that touches the browser's storage and the network. `worker.js` calls [`start`]
//! and reports traps to [`report_trap`]; everything else travels as messages of `protocol`.
#![cfg(target_arch = "wasm32")]
#![deny(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod clock;
mod defects;
mod digest;
mod download;
mod errors;
mod gpu;
mod heap;
mod js;
mod messages;
mod store;
mod tasks;
#[cfg(test)]
mod tests;
mod threads;
mod variant;
mod worker;

use std::rc::Rc;

use protocol::FromWorker;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::MessageEvent;

/// Listens to the page and says that the worker runs. Called once by `worker.js`.
#[wasm_bindgen]
pub async fn start() {
    defects::install_hook();
    let worker = Rc::new(worker::Worker::default());
    let receive =
        Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| worker.receive(&event.data()));
    // The listener lives as long as the worker does.
    js::scope().set_onmessage(Some(receive.into_js_value().unchecked_ref()));
    messages::post_ready(&FromWorker::Ready(worker::ready().await));
}

/// Computes on a thread beside the worker's until its pool is gone. Called once by `thread.js`, with the number that
/// the worker gave it.
#[wasm_bindgen]
pub fn run_thread(number: u32) {
    threads::run(number);
}

/// Tells the page that this instance broke off. Called by `worker.js`, which alone can see a trap.
#[wasm_bindgen]
pub fn report_trap(cause: &str) {
    defects::tell(cause);
}
