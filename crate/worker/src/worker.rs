//! The worker's loop: one request at a time, each ended by exactly one message.

use std::cell::RefCell;
use std::rc::Rc;

use engine::Engine;
use protocol::{FromWorker, Gpu, Operation, Ready, ToWorker};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, AbortSignal};

use crate::errors::{Error, Result};
use crate::messages::{self, Incoming};
use crate::tasks::{self, Visitor};
use crate::threads::{self, ThreadPool};
use crate::{defects, gpu, js, store, variant};

/// The model, and the operation under way.
#[derive(Default)]
pub(crate) struct Worker {
    engine: RefCell<Option<Engine>>,
    threads: Rc<ThreadPool>,
    visitor: Visitor,
    running: RefCell<Option<AbortController>>,
}

impl Worker {
    /// Takes a message of the page, as it was posted.
    pub(crate) fn receive(self: &Rc<Self>, data: &JsValue) {
        messages::message_arrived();
        match messages::parse(data) {
            Ok(incoming) => self.accept(incoming),
            Err(error) => fail(&error, Operation::Message, None),
        }
    }

    fn accept(self: &Rc<Self>, Incoming { message, files }: Incoming) {
        match message {
            ToWorker::Abort => self.abort(),
            ToWorker::Load(request) => self.run(Operation::Load, None, async move |worker, signal| {
                // The model that is there goes first, since two may not fit side by side.
                worker.engine.replace(None);
                let (engine, loaded) = tasks::load(request, files, &worker.threads, &signal).await?;
                worker.engine.replace(Some(engine));
                Ok(FromWorker::Loaded(Box::new(loaded)))
            }),
            ToWorker::Bench(asked) => self.run(Operation::Bench, None, async move |worker, signal| {
                let mut engine = worker.engine.take().ok_or(Error::NoModel)?;
                let benched = tasks::bench(&mut engine, asked, &signal).await;
                worker.engine.replace(Some(engine));
                Ok(FromWorker::Benched(benched?))
            }),
            ToWorker::Probe { threads } => self.run(Operation::Probe, None, async move |worker, _| {
                Ok(FromWorker::Probed(tasks::probe(&worker.threads, threads).await?))
            }),
            ToWorker::Measure(asked) => self.run(Operation::Measure, None, async move |worker, signal| {
                let mut engine = worker.engine.take().ok_or(Error::NoModel)?;
                let measured = tasks::measure(&mut engine, &asked, &worker.visitor, &signal).await;
                worker.engine.replace(Some(engine));
                Ok(FromWorker::Measured(measured?))
            }),
            ToWorker::Pause(paused) => self.visitor.pause(paused),
            ToWorker::Hidden(hidden) => self.visitor.hide(hidden),
            ToWorker::Generate(ask) => {
                self.run(Operation::Generate, Some(ask.id), async move |worker, signal| {
                    // Taken out for the while, since nothing else may touch it between two tokens.
                    let mut engine = worker.engine.take().ok_or(Error::NoModel)?;
                    let finished = tasks::generate(&mut engine, &ask, &signal).await;
                    worker.engine.replace(Some(engine));
                    Ok(FromWorker::Finished(finished?))
                });
            }
            ToWorker::ForgetModels => self.run(Operation::Forget, None, async move |_, _| {
                Ok(FromWorker::Forgotten { bytes: store::forget().await? })
            }),
            ToWorker::ListModels => beside(async {
                messages::post(&FromWorker::Models(store::list().await?));
                Ok(())
            }),
            ToWorker::DeleteModel { id } => self.run(Operation::Forget, None, async move |_, _| {
                store::delete(&id).await?;
                Ok(FromWorker::Models(store::list().await?))
            }),
            ToWorker::ExportModel { id } => beside(async move {
                for file in tasks::stored_files(&id).await? {
                    messages::post_file(&FromWorker::Exported { file: file.name() }, &file);
                }
                Ok(())
            }),
            ToWorker::Inspect(asked) => beside(async {
                messages::post(&FromWorker::Inspected(tasks::inspect(asked, files).await?));
                Ok(())
            }),
        }
    }

    /// Nothing running is nothing to end: the answer may have ended while the message travelled.
    fn abort(&self) {
        if let Some(controller) = &*self.running.borrow() {
            controller.abort();
            self.visitor.wake();
        }
    }

    fn run<T>(self: &Rc<Self>, operation: Operation, id: Option<u32>, task: T)
    where
        T: AsyncFnOnce(Rc<Self>, AbortSignal) -> Result<FromWorker> + 'static,
    {
        if self.running.borrow().is_some() {
            return fail(&Error::Busy, operation, id);
        }
        let controller = match AbortController::new() {
            Ok(controller) => controller,
            Err(thrown) => return defects::tell(&js::describe(&thrown)),
        };
        let signal = controller.signal();
        self.running.replace(Some(controller));
        defects::now_running((operation, id));
        let worker = Rc::clone(self);
        spawn_local(async move {
            let result = task(Rc::clone(&worker), signal).await;
            worker.running.take();
            match result {
                Ok(message) => messages::post(&message),
                Err(error) => fail(&error, operation, id),
            }
        });
    }
}

/// Runs a task that disturbs no other.
fn beside(task: impl Future<Output = Result<()>> + 'static) {
    spawn_local(async move {
        if let Err(error) = task.await {
            fail(&error, Operation::Store, None);
        }
    });
}

fn fail(error: &Error, operation: Operation, id: Option<u32>) {
    messages::post(&FromWorker::Failed(error.failure(operation, id)));
}

/// This build and its abilities.
pub(crate) async fn ready() -> Ready {
    let gpu = gpu::found().await;
    let threads = threads::most();
    let on = if threads == 1 { "on one thread".to_owned() } else { format!("on up to {threads} threads") };
    let processor = format!("the processor, with {} {on}", variant::INSTRUCTIONS);
    let reason = match &gpu {
        Gpu::None(cause) => format!("{processor}: {cause}"),
        Gpu::Adapter { name, .. } => {
            format!("{processor}, until a model is here to check and time {name} with")
        }
    };
    Ready {
        backend: "cpu-simd".to_owned(),
        reason,
        variant: variant::NAME.to_owned(),
        threads,
        storage: store::available().await,
        gpu,
    }
}
