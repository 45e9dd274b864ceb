//! From a catalogue entry to checked bytes: what storage holds is hashed, the rest is fetched, and nothing
//! is handed on whose size and SHA-256 are not the catalogue's.

use protocol::{LoadProgress, Stage};
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, Response, console};

use super::expected_file::ExpectedFile;
use super::fetch::{Chunks, Fetch, content_range};
use super::sink::DownloadSink;
use super::source::ModelSource;
use super::watch::Watch;
use crate::clock::Pace;
use crate::digest::Digest;
use crate::errors::{Error, Result};
use crate::js;
use crate::store::{self, Opened, StoredFile, records};

/// Checked bytes.
#[derive(Debug)]
pub(crate) struct Obtained {
    /// Where they are read from.
    pub(crate) source: ModelSource,
    /// Whether every one of them came from storage.
    pub(crate) from_storage: bool,
    /// Whether they are in storage now.
    pub(crate) stored: bool,
}

/// One load's way to its bytes.
pub(crate) struct Download<'a, F> {
    /// The file, as the catalogue describes it.
    pub(crate) expected: &'a ExpectedFile,
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
        let obtained = self.obtain_from(store::open(&self.expected.stored_name()).await).await;
        if obtained.is_err() {
            store::forget_empty(&self.expected.stored_name()).await;
        }
        obtained
    }

    async fn obtain_from(&self, opened: Opened) -> Result<Obtained> {
        match opened {
            Opened::Ours(file) => self.complete(file).await,
            Opened::Shared(blob) => {
                let source = ModelSource::Blob(blob);
                let size = source.size().map_err(|thrown| self.storage("reading", &thrown))?;
                let whole = size == self.expected.bytes;
                if whole
                    && self.is_right(
                        size,
                        &self.watch().hash(Stage::Storage, &|at, out| source.read_at(at, out), size).await?,
                    )
                {
                    return Ok(Obtained { source, from_storage: true, stored: true });
                }
                self.in_memory("another tab is writing it").await
            }
            Opened::Unavailable(cause) => self.in_memory(&cause).await,
        }
    }

    /// Goes on with what storage holds.
    async fn complete(&self, file: StoredFile) -> Result<Obtained> {
        let size = file.size().map_err(|thrown| self.storage("reading", &thrown))?;
        let mut kept = 0;
        let mut digest = Digest::default();
        if size <= self.expected.bytes {
            let held = self.watch().hash(Stage::Storage, &|at, out| file.read_at(at, out), size).await?;
            if self.is_right(size, &held) {
                return Ok(Obtained { source: ModelSource::Stored(file), from_storage: true, stored: true });
            }
            // Whole but wrong: damaged since it was stored, so nothing of it is worth keeping.
            if size < self.expected.bytes {
                kept = size;
                digest = held;
            }
        }
        if store::remaining().await.is_some_and(|room| room < self.expected.bytes - kept) {
            return self.in_memory("there is no room for it").await;
        }
        // What broke off is then listed as what it is a part of.
        records::save(&self.expected.stored_name(), &self.expected.record()).await;
        self.fetched(DownloadSink::Stored(file), kept, digest).await
    }

    async fn in_memory(&self, cause: &str) -> Result<Obtained> {
        console::warn_1(&format!("{} is not kept for later visits: {cause}", self.expected.file).into());
        self.fetched(DownloadSink::Memory(Vec::new()), 0, Digest::default()).await
    }

    /// Fetches what comes after the first `kept` bytes, whose hash is `digest`.
    async fn fetched(&self, mut sink: DownloadSink, kept: u64, digest: Digest) -> Result<Obtained> {
        match self.fill(&mut sink, kept, digest).await {
            // The beginning may be what was wrong, and that was ours: once more, from the first byte.
            Err(Error::Altered { .. }) if kept > 0 => self.fill(&mut sink, 0, Digest::default()).await?,
            other => other?,
        }
        store::forget_where(|name| self.expected.is_earlier(name)).await;
        let stored = matches!(sink, DownloadSink::Stored(_));
        let source = sink.into_source().map_err(|thrown| self.storage("keeping", &thrown))?;
        Ok(Obtained { source, from_storage: false, stored })
    }

    async fn fill(&self, sink: &mut DownloadSink, kept: u64, mut digest: Digest) -> Result<()> {
        let (response, mut done) = self.request(kept).await?;
        if done == 0 {
            digest = Digest::default();
            sink.clear().map_err(|thrown| self.storage("emptying", &thrown))?;
        }
        let chunks = Chunks::of(&response);
        let mut pace = Pace::default();
        let mut bytes = Vec::new();
        let broken = |done, thrown: &JsValue| match self.signal.aborted() {
            true => Error::Aborted,
            false => Error::Interrupted {
                file: self.expected.file.clone(),
                done,
                total: self.expected.bytes,
                cause: js::describe(thrown),
            },
        };
        while let Some(chunk) = chunks.next().await.map_err(|thrown| broken(done, &thrown))? {
            let before = done;
            done += u64::from(chunk.length());
            bytes.resize(chunk.length() as usize, 0);
            chunk.copy_to(&mut bytes);
            digest.update(&bytes);
            if done > self.expected.bytes {
                // It is not the model, and it could go on for ever.
                break;
            }
            sink.append(before, chunk).map_err(|thrown| self.storage("writing", &thrown))?;
            self.watch().report(Stage::Download, done, &mut pace).await?;
        }
        if self.is_right(done, &digest) {
            return Ok(());
        }
        sink.clear().map_err(|thrown| self.storage("emptying", &thrown))?;
        Err(Error::Altered {
            file: self.expected.file.clone(),
            want: self.expected.sha256.clone(),
            want_bytes: self.expected.bytes,
            got: digest.hex(),
            got_bytes: done,
        })
    }

    /// Asks for the bytes from `kept` on. Returns the response and where it really starts: a server that
    /// knows no ranges, or holds a file of another size, starts from 0.
    async fn request(&self, kept: u64) -> Result<(Response, u64)> {
        let get = self.fetch.get(&self.expected.url, kept);
        let response = get.await.map_err(|thrown| match self.signal.aborted() {
            true => Error::Aborted,
            false => Error::Unreachable {
                file: self.expected.file.clone(),
                url: self.expected.url.clone(),
                cause: js::describe(&thrown),
            },
        })?;
        let range = response.headers().get("content-range").ok().flatten();
        let range = range.and_then(|range| content_range(&range));
        match response.status() {
            200 => Ok((response, 0)),
            206 if kept > 0 && range == Some((kept, self.expected.bytes)) => Ok((response, kept)),
            206 | 416 if kept > 0 => Box::pin(self.request(0)).await,
            status => Err(Error::Status {
                file: self.expected.file.clone(),
                url: self.expected.url.clone(),
                status: format!("{status} {}", response.status_text()).trim_end().to_owned(),
            }),
        }
    }

    fn is_right(&self, size: u64, digest: &Digest) -> bool {
        size == self.expected.bytes && digest.hex() == self.expected.sha256
    }

    fn storage(&self, op: &'static str, thrown: &JsValue) -> Error {
        self.watch().storage(op, thrown)
    }

    fn watch(&self) -> Watch<'_> {
        let expected = self.expected;
        Watch { file: &expected.file, total: expected.bytes, signal: self.signal, progress: self.progress }
    }
}
