//! From a catalogue entry to checked bytes: what storage holds is hashed, the rest is fetched, and nothing
//! is handed on whose size and SHA-256 are not the catalogue's.

use js_sys::Uint8Array;
use protocol::{LoadProgress, Stage};
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, Response, console};

use crate::clock::{Pace, now_ms};
use crate::digest::Digest;
use crate::errors::{Error, Result};
use crate::fetch::{Chunks, Fetch, content_range};
use crate::js;
use crate::place::Place;
use crate::readers::{Handle, Source};
use crate::storage::{self, Opened};
use crate::turn::yield_now;
use crate::wanted::Wanted;

/// Bytes hashed at once: a few milliseconds' worth.
const SLICE: usize = 1 << 20;

/// Reads at an offset; 0 bytes only at the end.
type ReadAt<'a> = &'a dyn Fn(u64, &mut [u8]) -> Result<usize, JsValue>;

/// Checked bytes.
#[derive(Debug)]
pub(crate) struct Obtained {
    /// Where they are read from.
    pub(crate) source: Source,
    /// Whether every one of them came from storage.
    pub(crate) from_storage: bool,
}

/// One load's way to its bytes.
pub(crate) struct Download<'a, F> {
    /// What is to be had.
    pub(crate) wanted: &'a Wanted,
    /// Where it is fetched.
    pub(crate) fetch: &'a F,
    /// Given when the visitor stops the load.
    pub(crate) signal: &'a AbortSignal,
    /// Told where it stands, about ten times a second.
    pub(crate) progress: &'a dyn Fn(LoadProgress),
}

impl<F: Fetch> Download<'_, F> {
    /// The model's bytes: from storage when they are there and right, else over the network.
    pub(crate) async fn obtain(&self) -> Result<Obtained> {
        match storage::open(&self.wanted.stored_name()).await {
            Opened::Ours(handle) => self.complete(handle).await,
            Opened::Shared(blob) => {
                let source = Source::Blob(blob);
                let size = source.size().map_err(|thrown| self.storage("reading", &thrown))?;
                let whole = size == self.wanted.bytes;
                if whole && self.is_right(size, &self.hash(&|at, out| source.read_at(at, out), size).await?) {
                    return Ok(Obtained { source, from_storage: true });
                }
                self.in_memory("another tab is writing it").await
            }
            Opened::Unavailable(cause) => self.in_memory(&cause).await,
        }
    }

    /// Goes on with what storage holds.
    async fn complete(&self, handle: Handle) -> Result<Obtained> {
        let size = handle.size().map_err(|thrown| self.storage("reading", &thrown))?;
        let (mut kept, mut digest) = (0, Digest::default());
        if size <= self.wanted.bytes {
            (kept, digest) = (size, self.hash(&|at, out| handle.read_at(at, out), size).await?);
        }
        if self.is_right(kept, &digest) {
            return Ok(Obtained { source: Source::Handle(handle), from_storage: true });
        }
        // Whole but wrong: damaged since it was stored, so nothing of it is worth keeping.
        if kept == self.wanted.bytes {
            (kept, digest) = (0, Digest::default());
        }
        if storage::room().await.is_some_and(|room| room < self.wanted.bytes - kept) {
            return self.in_memory("there is no room for it").await;
        }
        self.fetched(Place::Stored(handle), kept, digest).await
    }

    async fn in_memory(&self, cause: &str) -> Result<Obtained> {
        console::warn_1(&format!("{} is not kept for later visits: {cause}", self.wanted.file).into());
        self.fetched(Place::Memory(Vec::new()), 0, Digest::default()).await
    }

    /// Fetches what comes after the first `kept` bytes, whose hash is `digest`.
    async fn fetched(&self, mut place: Place, kept: u64, digest: Digest) -> Result<Obtained> {
        match self.fill(&mut place, kept, digest).await {
            // The beginning may be what was wrong, and that was ours: once more, from the first byte.
            Err(Error::Altered { .. }) if kept > 0 => self.fill(&mut place, 0, Digest::default()).await?,
            other => other?,
        }
        storage::forget_earlier(self.wanted).await;
        let source = place.into_source().map_err(|thrown| self.storage("keeping", &thrown))?;
        Ok(Obtained { source, from_storage: false })
    }

    async fn fill(&self, place: &mut Place, kept: u64, mut digest: Digest) -> Result<()> {
        let (response, mut done) = self.request(kept).await?;
        if done == 0 {
            digest = Digest::default();
            place.clear().map_err(|thrown| self.storage("emptying", &thrown))?;
        }
        let (chunks, mut pace) = (Chunks::of(&response), Pace::default());
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await.map_err(|thrown| self.broken(done, &thrown))? {
            let before = done;
            done += u64::from(chunk.length());
            copy(&chunk, &mut bytes);
            digest.update(&bytes);
            if done > self.wanted.bytes {
                // Whatever this is, it is not the model; it could go on for ever.
                break;
            }
            place.append(before, chunk).map_err(|thrown| self.storage("writing", &thrown))?;
            self.report(Stage::Download, done, &mut pace).await?;
        }
        if self.is_right(done, &digest) {
            return Ok(());
        }
        place.clear().map_err(|thrown| self.storage("emptying", &thrown))?;
        Err(self.altered(done, &digest))
    }

    /// Asks for the bytes from `kept` on. Returns the response and where it really starts: a server that
    /// knows no ranges, or holds a file of another size, starts from 0.
    async fn request(&self, kept: u64) -> Result<(Response, u64)> {
        let response = self.ask(kept).await?;
        match response.status() {
            200 => Ok((response, 0)),
            206 if kept > 0 => match self.range_of(&response) {
                Some((first, total)) if (first, total) == (kept, self.wanted.bytes) => Ok((response, kept)),
                _ => Box::pin(self.request(0)).await,
            },
            416 if kept > 0 => Box::pin(self.request(0)).await,
            status => Err(Error::Status {
                file: self.wanted.file.clone(),
                url: self.wanted.url.clone(),
                status: format!("{status} {}", response.status_text()).trim_end().to_owned(),
            }),
        }
    }

    async fn ask(&self, from: u64) -> Result<Response> {
        let (file, url) = (&self.wanted.file, &self.wanted.url);
        self.fetch.get(url, from).await.map_err(|thrown| match self.signal.aborted() {
            true => Error::Aborted,
            false => {
                Error::Unreachable { file: file.clone(), url: url.clone(), cause: js::describe(&thrown) }
            }
        })
    }

    fn range_of(&self, response: &Response) -> Option<(u64, u64)> {
        content_range(&response.headers().get("content-range").ok()??)
    }

    /// Hash of the first `size` bytes of what `read` reads.
    async fn hash(&self, read: ReadAt<'_>, size: u64) -> Result<Digest> {
        let (mut digest, mut pace, mut done) = (Digest::default(), Pace::default(), 0);
        let mut slice = vec![0; SLICE];
        while done < size {
            let want = (size - done).min(SLICE as u64) as usize;
            let count = read(done, &mut slice[..want]).map_err(|thrown| self.storage("reading", &thrown))?;
            if count == 0 {
                return Err(self.storage("reading", &JsValue::from_str("the stored file ended early")));
            }
            digest.update(&slice[..count]);
            done += count as u64;
            self.report(Stage::Storage, done, &mut pace).await?;
        }
        Ok(digest)
    }

    /// Tells the page ten times a second, and lets an abort in as often.
    async fn report(&self, stage: Stage, done: u64, pace: &mut Pace) -> Result<()> {
        let (at_ms, total) = (now_ms(), self.wanted.bytes);
        if pace.due(at_ms) || done == total {
            (self.progress)(LoadProgress { stage, done, total, at_ms });
            yield_now().await;
        }
        if self.signal.aborted() { Err(Error::Aborted) } else { Ok(()) }
    }

    fn is_right(&self, size: u64, digest: &Digest) -> bool {
        size == self.wanted.bytes && digest.hex() == self.wanted.sha256
    }

    fn altered(&self, got_bytes: u64, digest: &Digest) -> Error {
        Error::Altered {
            file: self.wanted.file.clone(),
            want: self.wanted.sha256.clone(),
            want_bytes: self.wanted.bytes,
            got: digest.hex(),
            got_bytes,
        }
    }

    fn broken(&self, done: u64, thrown: &JsValue) -> Error {
        if self.signal.aborted() {
            return Error::Aborted;
        }
        let (file, total) = (self.wanted.file.clone(), self.wanted.bytes);
        Error::Interrupted { file, done, total, cause: js::describe(thrown) }
    }

    fn storage(&self, op: &'static str, thrown: &JsValue) -> Error {
        Error::Storage { file: self.wanted.file.clone(), op, cause: js::describe(thrown) }
    }
}

fn copy(chunk: &Uint8Array, out: &mut Vec<u8>) {
    out.resize(chunk.length() as usize, 0);
    chunk.copy_to(out);
}
