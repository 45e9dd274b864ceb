//! From a load request to an engine that can be prompted.

use std::rc::Rc;
use std::sync::Arc;

use engine::cpu::Pool;
use engine::gguf::Gguf;
use engine::gpu::Device;
use engine::{Engine, Error as EngineError, LoadOptions, Progress};
use futures_channel::oneshot;
use protocol::{
    Fit, FromWorker, Load, LoadProgress, Loaded, Lowered, Needs, Origin, Preference, Record, SHORTEST,
    Source, Stage,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortSignal, File};

use crate::clock::{Pace, local_seconds, now_ms};
use crate::download::{self, Download, ExpectedFile, ModelReader, ModelSource, Network, Obtained, Watch};
use crate::errors::{Error, Result};
use crate::messages::{self, yield_now};
use crate::store::{self, records, reports};
use crate::threads::ThreadPool;
use crate::{gpu, heap, js, variant};

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
    let needs = engine::cpu::needs(&gguf)?;
    let gpu = match gpu {
        Some(gpu) => gpu.await.unwrap_or_else(|_| Err("its preparation broke off".to_owned())),
        None => Err("the processor was asked for".to_owned()),
    };
    // A GPU has memory of its own, but the processor goes on where it fails.
    let may_be_too_big = gpu.is_ok();
    let (context, lowered) = fitted(gguf.file(), needs, request.context, memory_limit(), may_be_too_big)?;
    let context = context as usize;
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
    let options = LoadOptions {
        context,
        backend,
        reading: request.reading,
        pool: Arc::clone(&pool),
        clock: now_ms,
        room: heap::room,
        remembered,
    };
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
    loaded.lowered = lowered;
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
    /// All files in order, where they were picked or kept.
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
            let parts = download::files(&record, &store::file(&id).await?)?;
            let file = record.file.clone();
            Ok(Found { file, obtained, parts, record: Some((id, record)), not_kept: None })
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
    let parts = in_order(picked)?;
    let source = match parts.as_slice() {
        [] => return Err(Error::NoFile { file }),
        [one] => ModelSource::Blob(one.clone().into()),
        several => {
            // A part that is missing is told before gigabytes of the others are kept.
            joined(&file, several)?;
            ModelSource::joined(several).map_err(unread)?
        }
    };
    let file = parts.first().map_or(file.clone(), File::name);
    let total = source.size().map_err(unread)?;
    let mut not_kept = None;
    let mut record = None;
    if keep {
        let several = if parts.len() > 1 { parts.as_slice() } else { &[] };
        match download::keep(&source, several, Watch { file: &file, total, signal, progress: &post_load })
            .await
        {
            Ok(kept) => record = Some(kept),
            // It runs from where it lies all the same.
            Err(Error::Storage { op, cause, .. }) => {
                not_kept = Some(format!("this browser’s storage refused {op}: {cause}"));
            }
            Err(error) => return Err(error),
        }
    }
    let obtained = Obtained { source, from_storage: false, stored: record.is_some() };
    Ok(Found { file, obtained, parts, record, not_kept })
}

fn post_load(progress: LoadProgress) {
    messages::post(&FromWorker::LoadProgress(progress));
}

fn unread(file: &str, thrown: &JsValue) -> Error {
    Error::Storage { file: file.to_owned(), op: "reading", cause: js::describe(thrown) }
}

/// The model in `source`; `parts` are the files that it consists of, in order.
pub(super) fn open(file: &str, source: ModelSource, parts: &[File]) -> Result<Gguf<ModelReader>> {
    match parts {
        [] | [_] => Ok(Gguf::open(file, reader(file, source)?)?),
        several => joined(file, several),
    }
}

fn joined(file: &str, parts: &[File]) -> Result<Gguf<ModelReader>> {
    let opened = parts.iter().map(header).collect::<Result<_>>()?;
    let whole = ModelSource::joined(parts).map_err(|thrown| unread(file, &thrown))?;
    Ok(Gguf::join(opened, reader(file, whole)?)?)
}

fn header(part: &File) -> Result<Gguf<ModelReader>> {
    let name = part.name();
    Ok(Gguf::open(&name, reader(&name, ModelSource::Blob(part.clone().into()))?)?)
}

fn reader(file: &str, source: ModelSource) -> Result<ModelReader> {
    source.into_reader().map_err(|thrown| unread(file, &thrown))
}

/// Files of one model by the numbers in their headers: the browser hands them out in no order.
fn in_order(picked: Vec<File>) -> Result<Vec<File>> {
    if picked.len() < 2 {
        return Ok(picked);
    }
    let numbered = picked.into_iter().map(|file| Ok((header(&file)?.shard()?.0, file)));
    let mut numbered = numbered.collect::<Result<Vec<_>>>()?;
    numbered.sort_by_key(|(number, _)| *number);
    Ok(numbered.into_iter().map(|(_, file)| file).collect())
}

/// Bytes that a load may take on this device.
fn memory_limit() -> u64 {
    protocol::memory_limit(js::get(&js::scope().navigator(), "deviceMemory").as_f64())
}

/// The context that fits, before anything is allocated for it, and why it is not the one asked for; or a refusal, unless
/// the model `may_be_too_big`.
pub(crate) fn fitted(
    file: &str,
    needs: Needs,
    asked: u32,
    limit: u64,
    may_be_too_big: bool,
) -> Result<(u32, Option<Lowered>)> {
    let need = needs.memory(asked);
    match needs.fit(asked, limit) {
        Fit::Lowered(positions) => Ok((positions, Some(Lowered { asked, need, limit }))),
        Fit::TooBig if !may_be_too_big => {
            let need = needs.memory(asked.min(SHORTEST));
            Err(EngineError::Memory { file: file.to_owned(), need, limit }.into())
        }
        Fit::Fits | Fit::TooBig => Ok((asked, None)),
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
        lowered: None,
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
