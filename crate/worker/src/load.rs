//! From a load request to an engine that can be prompted.

use std::cell::RefCell;

use engine::gguf::Gguf;
use engine::model::Config;
use engine::{Engine, LoadOptions, Preference, Progress};
use protocol::{FromWorker, LoadProgress, Loaded, Stage};
use web_sys::{AbortSignal, File};

use crate::bus;
use crate::clock::{Pace, now_ms};
use crate::download::{Download, Obtained};
use crate::errors::{Error, Result};
use crate::fetch::Network;
use crate::js;
use crate::readers::{ModelReader, Source};
use crate::turn::yield_now;
use crate::wanted::Wanted;

/// What a 32-bit module can address, bytes.
const ADDRESSABLE: u64 = 1 << 32;

/// Bytes besides weights and cache: tokenizer, buffers, stack. Measured 30 MB with a vocabulary of 49,152.
const BESIDES: u64 = 64 << 20;

/// Loads a model into `slot`. The model that is there goes first, since two may not fit side by side.
pub(crate) async fn load(
    request: protocol::Load,
    picked: Option<File>,
    slot: &RefCell<Option<Engine>>,
    signal: &AbortSignal,
) -> Result<Loaded> {
    let started = now_ms();
    slot.replace(None);
    let (file, obtained) = obtain(request.source, picked, signal).await?;
    let gguf = Gguf::open(&file, reader(&file, obtained.source)?)?;
    let context = request.context as usize;
    let options = LoadOptions { context, backend: Preference::Cpu, remembered: None };
    check_memory(&gguf, &options)?;
    let engine = Engine::load(gguf, &options, Err(String::new()), &mut pack_progress()).await?;
    // Packing runs in one go; an abort that came meanwhile is waiting.
    yield_now().await;
    if signal.aborted() {
        return Err(Error::Aborted);
    }
    let loaded = describe(&engine, obtained.from_storage, now_ms() - started);
    slot.replace(Some(engine));
    Ok(loaded)
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
fn check_memory(gguf: &Gguf<ModelReader>, options: &LoadOptions) -> Result<()> {
    let config = Config::from_metadata(gguf.file(), gguf.metadata())?;
    let context = options.context.clamp(1, config.context);
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

fn pack_progress() -> impl FnMut(Progress) {
    let mut pace = Pace::default();
    move |progress| {
        let Progress::Pack { done, total } = progress else { return };
        let at_ms = now_ms();
        if pace.due(at_ms) || done == total {
            bus::post(&FromWorker::LoadProgress(LoadProgress { stage: Stage::Pack, done, total, at_ms }));
        }
    }
}

fn describe(engine: &Engine, from_storage: bool, load_ms: f64) -> Loaded {
    let info = engine.info();
    Loaded {
        name: info.name.clone(),
        architecture: info.architecture.clone(),
        parameters: info.parameters,
        file_bytes: info.file_bytes,
        context: info.context as u32,
        layers: info.layers as u32,
        vocabulary: info.vocabulary as u32,
        quantization: info.quantization.clone(),
        chat_template: info.chat_template,
        from_storage,
        load_ms,
        memory_bytes: js::memory_bytes(),
    }
}
