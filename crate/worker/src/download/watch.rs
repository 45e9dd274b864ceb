//! What every way to a model's bytes does meanwhile: it tells the page, lets an abort in, and hashes.

use protocol::{LoadProgress, Stage};
use wasm_bindgen::JsValue;
use web_sys::AbortSignal;

use crate::clock::{Pace, now_ms};
use crate::digest::Digest;
use crate::errors::{Error, Result};
use crate::js;
use crate::messages::yield_now;

/// Bytes read at once: a few milliseconds' worth.
pub(super) const SLICE: usize = 1 << 20;

/// Reads at an offset; 0 bytes only at the end.
pub(super) type ReadAt<'a> = &'a dyn Fn(u64, &mut [u8]) -> Result<usize, JsValue>;

/// Takes a slice of a file, with its offset.
type Take<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Result<(), JsValue>;

/// One load's name, length, and whom it tells.
#[derive(Clone, Copy)]
pub(crate) struct Watch<'a> {
    /// Name for messages.
    pub(crate) file: &'a str,
    /// Bytes of the whole file.
    pub(crate) total: u64,
    /// Given when the visitor stops the load.
    pub(crate) signal: &'a AbortSignal,
    /// Told where it stands, about ten times a second.
    pub(crate) progress: &'a dyn Fn(LoadProgress),
}

impl Watch<'_> {
    /// Hash of the first `size` bytes of what `read` reads.
    pub(super) async fn hash(&self, stage: Stage, read: ReadAt<'_>, size: u64) -> Result<Digest> {
        let mut digest = Digest::default();
        let mut hash = |_, bytes: &[u8]| {
            digest.update(bytes);
            Ok(())
        };
        self.each(stage, read, size, &mut hash).await?;
        Ok(digest)
    }

    /// Hands out the first `size` bytes of what `read` reads, slice by slice with its offset.
    pub(super) async fn each(&self, stage: Stage, read: ReadAt<'_>, size: u64, take: Take<'_>) -> Result<()> {
        let mut pace = Pace::default();
        let mut done = 0;
        let mut slice = vec![0; SLICE];
        while done < size {
            let want = (size - done).min(SLICE as u64) as usize;
            let count = read(done, &mut slice[..want]).map_err(|thrown| self.storage("reading", &thrown))?;
            if count == 0 {
                return Err(self.storage("reading", &JsValue::from_str("the file ended early")));
            }
            take(done, &slice[..count]).map_err(|thrown| self.storage("writing", &thrown))?;
            done += count as u64;
            self.report(stage, done, &mut pace).await?;
        }
        Ok(())
    }

    /// Tells the page ten times a second, and lets an abort in as often.
    pub(super) async fn report(&self, stage: Stage, done: u64, pace: &mut Pace) -> Result<()> {
        let at_ms = now_ms();
        if pace.due(at_ms) || done == self.total {
            (self.progress)(LoadProgress { stage, done, total: self.total, at_ms });
            yield_now().await;
        }
        if self.signal.aborted() { Err(Error::Aborted) } else { Ok(()) }
    }

    /// Storage's refusal of an operation on this file.
    pub(super) fn storage(&self, op: &'static str, thrown: &JsValue) -> Error {
        Error::Storage { file: self.file.to_owned(), op, cause: js::describe(thrown) }
    }
}
