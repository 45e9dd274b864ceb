//! When the engine itself breaks: a panic or a trap ends this instance, but never without a word.

use std::cell::Cell;

use protocol::{Failure, FailureKind, FromWorker, Operation};
use web_sys::console;

use crate::{heap, messages};

/// The operation under way, so that a defect can be told where it belongs.
pub(crate) type Running = (Operation, Option<u32>);

thread_local! {
    static RUNNING: Cell<Running> = const { Cell::new((Operation::Start, None)) };
    static TOLD: Cell<bool> = const { Cell::new(false) };
}

/// Notes the operation that runs from here on.
pub(crate) fn now_running(running: Running) {
    RUNNING.set(running);
}

/// Makes every panic a message.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let cause = info.to_string();
        console::error_1(&cause.as_str().into());
        tell(&cause);
    }));
}

/// Tells the page of a defect, once: the trap that follows a panic is the same event.
pub(crate) fn tell(cause: &str) {
    if !TOLD.replace(true) {
        messages::post(&FromWorker::Failed(failure(cause, heap::refused())));
    }
}

/// Always `Internal`, even when it was memory: this instance is over and the page must start another.
pub(crate) fn failure(cause: &str, refused: Option<usize>) -> Failure {
    let (operation, id) = RUNNING.get();
    let message = match refused {
        Some(bytes) => format!(
            "the engine ran out of memory, {bytes} bytes more could not be had; close other tabs, or choose a smaller model or a shorter context, then load the model again"
        ),
        None => format!("the engine met a defect of its own ({cause}); load the model again"),
    };
    Failure { operation, id, kind: FailureKind::Internal, message }
}
