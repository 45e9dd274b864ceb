//! From a load request to an engine that can be prompted.

use std::rc::Rc;
use std::sync::Arc;

use engine::cpu::Pool;
use engine::gguf::Gguf;
use engine::gpu::Device;
use engine::model::Plan;
use engine::{Engine, LoadOptions, Progress};
use futures_channel::oneshot;
use protocol::{
    ADDRESSABLE, FromWorker, Load, LoadProgress, Loaded, Needs, Origin, Preference, Record, Source, Stage,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortSignal, File};

use crate::clock::{Pace, local_seconds, now_ms};
use crate::download::{self, Download, ExpectedFile, ModelReader, ModelSource, Network, Obtained, Watch};
use crate::errors::{Error, Result};
use crate::messages::{self, yield_now};
use crate::store::{records, reports};
use crate::threads::ThreadPool;
use crate::{gpu, js, variant};

/// Loads a model, and describes it.
pub(crate) async fn load(
    request: Load,
    picked: Vec<File>,
    threads: &Rc<ThreadPool>,
    signal: &AbortSignal,
) -> Result<(Engine, Loaded)> {
    let started = now_ms();
    // Kernels are made and threads start while the model is on its way.
    let gpu = (request.backend != Preference::Cpu).then(|| started_gpu(request.variant));
    let threads = started_threads(threads, request.threads);
    let found = obtain(request.source, picked, signal).await?;
    let gguf = open(&found.file, found.obtained.source, &found.parts)?;
    let needs = needs(&gguf)?;
    let gpu = match gpu {
        Some(gpu) => gpu.await.unwrap_or_else(|_| Err("its preparation broke off".to_owned())),
        None => Err("the processor was asked for".to_owned()),
    };
    let context = request.context as usize;
    if gpu.is_err() {
        check_fits(gguf.file(), needs, request.context)?;
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
    let reading = request.reading;
    let options =
        LoadOptions { context, backend, reading, pool: Arc::clone(&pool), clock: now_ms, remembered };
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
    let mut loaded = describe(&engine, &pool, needs, now_ms() - started);
    loaded.from_storage = found.obtained.from_storage;
    loaded.not_kept = found.not_kept;
    if let Some((id, record)) = found.record {
        records::save(&id, &Record { used_ms: Some(now_ms()), needs: Some(needs), ..record }).await;
        loaded.stored = Some(id);
    }
    if let Some(cause) = alone {
        loaded.backend.reason += &format!("; on one thread, because no other could be started: {cause}");
    }
    Ok((engine, loaded))
}

/// A model's bytes, and what they are.
struct Found {
    /// Name for messages.
    file: String,
    obtained: Obtained,
    /// All files, where the visitor picked them.
    parts: Vec<File>,
    /// Name in storage and what is remembered, where it is stored.
    record: Option<(String, Record)>,
    /// Why a file that was to be kept is not.
    not_kept: Option<String>,
}

async fn obtain(source: Source, picked: Vec<File>, signal: &AbortSignal) -> Result<Found> {
    match source {
        Source::File { file, keep } => of_visitor(file, keep, picked, signal).await,
        Source::Url { url, file, bytes, sha256 } => {
            of_site(&ExpectedFile::new(&url, file, bytes, sha256)?, signal).await
        }
        Source::Stored { id } => {
            let Some(record) = records::load(&id).await else { return Err(Error::Unrecorded { id }) };
            if let Origin::Site { url } = record.origin {
                let Record { file, bytes, sha256, .. } = record;
                return of_site(&ExpectedFile::new(&url, file, bytes, sha256)?, signal).await;
            }
            let progress = &post_load;
            let watch = Watch { file: &record.file, total: record.bytes, signal, progress };
            let obtained = download::kept(&id, &record, watch).await?;
            let file = record.file.clone();
            Ok(Found { file, obtained, parts: Vec::new(), record: Some((id, record)), not_kept: None })
        }
    }
}

async fn of_site(expected: &ExpectedFile, signal: &AbortSignal) -> Result<Found> {
    let fetch = Network::new(signal.clone());
    let download = Download { expected, fetch: &fetch, signal, progress: &post_load };
    let obtained = download.obtain().await?;
    let record = obtained.stored.then(|| (expected.stored_name(), expected.record()));
    Ok(Found { file: expected.file.clone(), obtained, parts: Vec::new(), record, not_kept: None })
}

async fn of_visitor(file: String, keep: bool, picked: Vec<File>, signal: &AbortSignal) -> Result<Found> {
    let unread = |thrown| unread(&file, &thrown);
    let source = match picked.as_slice() {
        [] => return Err(Error::NoFile { file }),
        [one] => ModelSource::Blob(one.clone().into()),
        several => ModelSource::joined(several).map_err(unread)?,
    };
    let total = source.size().map_err(unread)?;
    let mut not_kept = None;
    let mut record = None;
    if keep && picked.len() > 1 {
        not_kept = Some("a model in several files is not kept".to_owned());
    } else if keep {
        match download::keep(&source, Watch { file: &file, total, signal, progress: &post_load }).await {
            Ok(kept) => record = Some(kept),
            // It runs from where it lies all the same.
            Err(Error::Storage { op, cause, .. }) => {
                not_kept = Some(format!("this browser’s storage refused {op}: {cause}"));
            }
            Err(error) => return Err(error),
        }
    }
    let obtained = Obtained { source, from_storage: false, stored: record.is_some() };
    Ok(Found { file, obtained, parts: picked, record, not_kept })
}

fn post_load(progress: LoadProgress) {
    messages::post(&FromWorker::LoadProgress(progress));
}

fn unread(file: &str, thrown: &JsValue) -> Error {
    Error::Storage { file: file.to_owned(), op: "reading", cause: js::describe(thrown) }
}

/// The model in `source`; `parts` are the files that it consists of, where there are several.
pub(super) fn open(file: &str, source: ModelSource, parts: &[File]) -> Result<Gguf<ModelReader>> {
    let read = |source: ModelSource| source.into_reader().map_err(|thrown| unread(file, &thrown));
    if parts.len() < 2 {
        return Ok(Gguf::open(file, read(source)?)?);
    }
    let mut opened = Vec::new();
    for part in parts {
        let gguf = Gguf::open(&part.name(), read(ModelSource::Blob(part.clone().into()))?)?;
        opened.push((gguf.shard()?, gguf, part.clone()));
    }
    // The browser hands files out in no order.
    opened.sort_by_key(|(number, ..)| *number);
    let (opened, parts): (Vec<_>, Vec<_>) = opened.into_iter().map(|(_, gguf, part)| (gguf, part)).unzip();
    let whole = ModelSource::joined(&parts).map_err(|thrown| unread(file, &thrown))?;
    Ok(Gguf::join(opened, read(whole)?)?)
}

/// The numbers that the memory of a load follows from.
pub(super) fn needs(gguf: &Gguf<ModelReader>) -> Result<Needs> {
    // Memory is the same for every context that the plan is made for.
    let spec = Plan::of(gguf, 1)?.spec;
    let weights = gguf.tensors().iter().fold(0, |sum: u64, tensor| sum.saturating_add(tensor.bytes));
    let context = u32::try_from(spec.context).unwrap_or(u32::MAX);
    Ok(Needs { weights, kv_bytes_per_token: spec.kv_bytes(1), context })
}

/// Refuses a model that could not fit before anything is allocated for it.
pub(crate) fn check_fits(file: &str, needs: Needs, context: u32) -> Result<()> {
    let need = needs.memory(context);
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

fn describe(engine: &Engine, pool: &Pool, needs: Needs, load_ms: f64) -> Loaded {
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
        from_storage: false,
        stored: None,
        not_kept: None,
        needs,
        load_ms,
        memory_bytes: js::memory_bytes(),
        gpu_memory_bytes: engine.gpu_memory_bytes(),
        backend: engine.report().clone(),
    }
}
