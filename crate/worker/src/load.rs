//! From a load request to an engine that can be prompted.

use std::rc::Rc;
use std::sync::Arc;

use engine::cpu::Pool;
use engine::gguf::Gguf;
use engine::gpu::Device;
use engine::model::Config;
use engine::{Engine, LoadOptions, Progress};
use futures_channel::oneshot;
use protocol::{FromWorker, LoadProgress, Loaded, Preference, Stage};
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortSignal, File};

use crate::bus;
use crate::clock::{Pace, now_ms};
use crate::crew::Crew;
use crate::download::{Download, Obtained};
use crate::errors::{Error, Result};
use crate::fetch::Network;
use crate::gpu;
use crate::js;
use crate::readers::{ModelReader, Source};
use crate::turn::yield_now;
use crate::wanted::Wanted;
use crate::worker::Worker;
use crate::{remembered, variant};

/// What a 32-bit module can address, bytes.
const ADDRESSABLE: u64 = 1 << 32;

/// Bytes besides weights and cache: tokenizer, buffers, stack. Measured 30 MB with a vocabulary of 49,152.
const BESIDES: u64 = 64 << 20;

/// Loads a model. The one that is there goes first, since two may not fit side by side.
pub(crate) async fn load(
    request: protocol::Load,
    picked: Option<File>,
    worker: &Worker,
    signal: &AbortSignal,
) -> Result<Loaded> {
    let started = now_ms();
    worker.engine.replace(None);
    // Kernels are made and threads start while the model is on its way.
    let gpu = (request.backend != Preference::Cpu).then(|| started_gpu(request.variant));
    let crew = started_crew(&worker.crew, request.threads);
    let (file, obtained) = obtain(request.source, picked, signal).await?;
    let gguf = Gguf::open(&file, reader(&file, obtained.source)?)?;
    let gpu = match gpu {
        Some(gpu) => gpu.await.unwrap_or_else(|_| Err("its preparation broke off".to_owned())),
        None => Err("the processor was asked for".to_owned()),
    };
    let context = request.context as usize;
    if gpu.is_err() {
        check_memory(&gguf, context)?;
    }
    let (pool, alone) = crew.await.unwrap_or_else(|_| (Pool::alone(), None));
    let (backend, remember) = (request.backend, request.remember);
    let asked = Asked { context, backend, pool: Arc::clone(&pool), remember };
    let engine = engine(gguf, asked, gpu).await?;
    // Packing runs in one go; an abort that came meanwhile is waiting.
    yield_now().await;
    if signal.aborted() {
        return Err(Error::Aborted);
    }
    let mut loaded = describe(&engine, &pool, obtained.from_storage, now_ms() - started);
    if let Some(cause) = alone {
        loaded.backend.reason += &format!("; on one thread, because no other could be started: {cause}");
    }
    worker.engine.replace(Some(engine));
    Ok(loaded)
}

/// What is asked of the engine.
struct Asked {
    context: usize,
    backend: Preference,
    pool: Arc<Pool>,
    remember: bool,
}

/// The engine, with what an earlier visit found out about the GPU, which is kept for the next.
async fn engine(gguf: Gguf<ModelReader>, asked: Asked, gpu: Result<Device, String>) -> Result<Engine> {
    let Asked { context, backend, pool, remember } = asked;
    let stored = gpu.as_ref().ok().map(|device| {
        // The processor's speed, which was part of the decision, is that of this build on so many threads.
        let processor = format!("{} {}", variant::NAME, pool.threads());
        let model = format!("{} {} {context} {processor}", gguf.file(), gguf.file_bytes());
        remembered::stored_name(device.adapter().name(), &model)
    });
    let earlier = match &stored {
        Some(name) if remember => remembered::remembered(name).await,
        _ => None,
    };
    let fresh = earlier.is_none();
    let options = LoadOptions { context, backend, pool, clock: now_ms, remembered: earlier };
    let engine = Engine::load(gguf, &options, gpu, &mut told()).await?;
    if let (Some(name), true, Some(_)) = (&stored, fresh, &engine.report().check) {
        remembered::remember(name, engine.report()).await;
    }
    Ok(engine)
}

async fn obtain(
    source: protocol::Source,
    picked: Option<File>,
    signal: &AbortSignal,
) -> Result<(String, Obtained)> {
    match source {
        protocol::Source::File { file } => match picked {
            Some(picked) => Ok((file, Obtained { source: Source::Blob(picked.into()), from_storage: false })),
            None => Err(Error::NoFile { file }),
        },
        protocol::Source::Url { url, file, bytes, sha256 } => {
            let wanted = Wanted::new(&url, file, bytes, sha256)?;
            let fetch = Network::new(signal.clone());
            let progress = |progress| bus::post(&FromWorker::LoadProgress(progress));
            let download = Download { wanted: &wanted, fetch: &fetch, signal, progress: &progress };
            let obtained = download.obtain().await?;
            Ok((wanted.file, obtained))
        }
    }
}

fn reader(file: &str, source: Source) -> Result<ModelReader> {
    source.into_reader().map_err(|thrown| Error::Storage {
        file: file.to_owned(),
        op: "reading",
        cause: js::describe(&thrown),
    })
}

/// Refuses what could not fit before anything is allocated for it.
fn check_memory(gguf: &Gguf<ModelReader>, context: usize) -> Result<()> {
    let config = Config::from_metadata(gguf.file(), gguf.metadata())?;
    let context = context.clamp(1, config.context);
    let weights = gguf.tensors().iter().fold(0, |sum: u64, tensor| sum.saturating_add(tensor.bytes));
    check_fits(gguf.file(), weights, config.kv_bytes(context))
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
fn started_crew(crew: &Rc<Crew>, threads: u32) -> oneshot::Receiver<(Arc<Pool>, Option<String>)> {
    let (sender, receiver) = oneshot::channel();
    let crew = Rc::clone(crew);
    spawn_local(async move {
        sender.send(crew.of(threads).await).ok();
    });
    receiver
}

/// Tells the page where the load stands, ten times a second.
fn told() -> impl FnMut(Progress) {
    let mut pace = Pace::default();
    move |progress| {
        let at_ms = now_ms();
        let (stage, done, total) = match progress {
            Progress::Pack { done, total } => (Stage::Pack, done, total),
            Progress::Check { done, total } => (Stage::Check, done as u64, total as u64),
        };
        if pace.due(at_ms) || done == total {
            bus::post(&FromWorker::LoadProgress(LoadProgress { stage, done, total, at_ms }));
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
        chat_template: info.chat_template,
        from_storage,
        load_ms,
        memory_bytes: js::memory_bytes(),
        gpu_memory_bytes: engine.gpu_memory_bytes(),
        backend: engine.report().clone(),
    }
}
