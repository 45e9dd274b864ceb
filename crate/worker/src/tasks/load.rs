//! From a load request to an engine that can be prompted.

use std::rc::Rc;
use std::sync::Arc;

use engine::cpu::Pool;
use engine::gguf::Gguf;
use engine::gpu::Device;
use engine::model::Plan;
use engine::{Engine, LoadOptions, Progress};
use futures_channel::oneshot;
use protocol::{FromWorker, Load, LoadProgress, Loaded, Preference, Source, Stage};
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortSignal, File};

use crate::clock::{Pace, local_seconds, now_ms};
use crate::download::{Download, ExpectedFile, ModelReader, ModelSource, Network, Obtained};
use crate::errors::{Error, Result};
use crate::messages::{self, yield_now};
use crate::store::reports;
use crate::threads::ThreadPool;
use crate::{gpu, js, variant};

/// Bytes that a 32-bit module can address.
const ADDRESSABLE: u64 = 1 << 32;

/// Bytes besides weights and cache: tokenizer, buffers, stack. Measured 30 MB with a vocabulary of 49,152.
const BESIDES: u64 = 64 << 20;

/// Loads a model, and describes it.
pub(crate) async fn load(
    request: Load,
    picked: Option<File>,
    threads: &Rc<ThreadPool>,
    signal: &AbortSignal,
) -> Result<(Engine, Loaded)> {
    let started = now_ms();
    // Kernels are made and threads start while the model is on its way.
    let gpu = (request.backend != Preference::Cpu).then(|| started_gpu(request.variant));
    let threads = started_threads(threads, request.threads);
    let (file, obtained) = obtain(request.source, picked, signal).await?;
    let reader = obtained.source.into_reader().map_err(|thrown| Error::Storage {
        file: file.clone(),
        op: "reading",
        cause: js::describe(&thrown),
    })?;
    let gguf = Gguf::open(&file, reader)?;
    let gpu = match gpu {
        Some(gpu) => gpu.await.unwrap_or_else(|_| Err("its preparation broke off".to_owned())),
        None => Err("the processor was asked for".to_owned()),
    };
    let context = request.context as usize;
    if gpu.is_err() {
        check_memory(&gguf, context)?;
    }
    let (pool, alone) = threads.await.unwrap_or_else(|_| (Pool::alone(), None));
    let report_name = gpu.as_ref().ok().map(|device| {
        // The processor's speed, which was part of the decision, is that of this build on so many threads.
        let processor = format!("{} {}", variant::NAME, pool.threads());
        let model = format!("{} {} {context} {processor}", gguf.file(), gguf.file_bytes());
        reports::stored_name(device.adapter().name(), &model)
    });
    let remembered = match &report_name {
        Some(name) if request.remember => reports::load(name).await,
        _ => None,
    };
    let checked_anew = remembered.is_none();
    let backend = request.backend;
    let options = LoadOptions { context, backend, pool: Arc::clone(&pool), clock: now_ms, remembered };
    let mut engine = Engine::load(gguf, &options, gpu, &mut post_progress()).await?;
    engine.set_local_time(local_seconds());
    if let (Some(name), true, Some(_)) = (&report_name, checked_anew, &engine.report().check) {
        reports::save(name, engine.report()).await;
    }
    // Packing runs in one go; an abort that came meanwhile is waiting.
    yield_now().await;
    if signal.aborted() {
        return Err(Error::Aborted);
    }
    let mut loaded = describe(&engine, &pool, obtained.from_storage, now_ms() - started);
    if let Some(cause) = alone {
        loaded.backend.reason += &format!("; on one thread, because no other could be started: {cause}");
    }
    Ok((engine, loaded))
}

async fn obtain(source: Source, picked: Option<File>, signal: &AbortSignal) -> Result<(String, Obtained)> {
    match source {
        Source::File { file } => match picked {
            Some(picked) => {
                Ok((file, Obtained { source: ModelSource::Blob(picked.into()), from_storage: false }))
            }
            None => Err(Error::NoFile { file }),
        },
        Source::Url { url, file, bytes, sha256 } => {
            let expected = ExpectedFile::new(&url, file, bytes, sha256)?;
            let fetch = Network::new(signal.clone());
            let progress = |progress| messages::post(&FromWorker::LoadProgress(progress));
            let download = Download { expected: &expected, fetch: &fetch, signal, progress: &progress };
            let obtained = download.obtain().await?;
            Ok((expected.file, obtained))
        }
    }
}

/// Refuses a model that could not fit before anything is allocated for it.
fn check_memory(gguf: &Gguf<ModelReader>, context: usize) -> Result<()> {
    let spec = Plan::of(gguf, context)?.spec;
    let context = context.clamp(1, spec.context);
    let weights = gguf.tensors().iter().fold(0, |sum: u64, tensor| sum.saturating_add(tensor.bytes));
    check_fits(gguf.file(), weights, spec.kv_bytes(context))
}

/// Whether weights and cache (bytes) can both be addressed.
pub(crate) fn check_fits(file: &str, weights: u64, cache: u64) -> Result<()> {
    let need = weights.saturating_add(cache).saturating_add(BESIDES);
    match need > ADDRESSABLE {
        true => Err(Error::Memory { file: file.to_owned(), need, limit: ADDRESSABLE }),
        false => Ok(()),
    }
}

/// A GPU in preparation.
type Preparing = oneshot::Receiver<Result<Device, String>>;

fn started_gpu(variant: Option<String>) -> Preparing {
    let (sender, receiver) = oneshot::channel();
    spawn_local(async move {
        // Nobody waits any more when the load was given up.
        sender.send(gpu::open(variant.as_deref()).await).ok();
    });
    receiver
}

/// Threads on their way: the pool, and why it is one thread only where more were wanted.
fn started_threads(pool: &Rc<ThreadPool>, asked: u32) -> oneshot::Receiver<(Arc<Pool>, Option<String>)> {
    let (sender, receiver) = oneshot::channel();
    let pool = Rc::clone(pool);
    spawn_local(async move {
        sender.send(pool.of(asked).await).ok();
    });
    receiver
}

/// Tells the page where the load stands, ten times a second.
fn post_progress() -> impl FnMut(Progress) {
    let mut pace = Pace::default();
    move |progress| {
        let at_ms = now_ms();
        let (stage, done, total) = match progress {
            Progress::Pack { done, total } => (Stage::Pack, done, total),
            Progress::Check { done, total } => (Stage::Check, done as u64, total as u64),
        };
        if pace.due(at_ms) || done == total {
            messages::post(&FromWorker::LoadProgress(LoadProgress { stage, done, total, at_ms }));
        }
    }
}

fn describe(engine: &Engine, pool: &Pool, from_storage: bool, load_ms: f64) -> Loaded {
    let info = engine.info();
    Loaded {
        name: info.name.clone(),
        architecture: info.architecture.clone(),
        parameters: info.parameters,
        file_bytes: info.file_bytes,
        context: info.context as u32,
        layers: info.layers as u32,
        kv_bytes_per_token: info.kv_bytes / info.context.max(1) as u64,
        threads: pool.threads() as u32,
        vocabulary: info.vocabulary as u32,
        quantization: info.quantization.clone(),
        chat: info.chat.clone(),
        from_storage,
        load_ms,
        memory_bytes: js::memory_bytes(),
        gpu_memory_bytes: engine.gpu_memory_bytes(),
        backend: engine.report().clone(),
    }
}
