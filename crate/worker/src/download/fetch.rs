//! One same-origin download, whole or from a byte on, as chunks.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortSignal, Headers, ReadableStreamDefaultReader, Request, RequestCache, RequestCredentials,
    RequestInit, RequestRedirect, Response, Url,
};

use crate::errors::{Error, Result};
use crate::js;

/// Where responses come from: the network, or a test's own.
pub(crate) trait Fetch {
    /// Asks for a file from a byte on; 0 asks for the whole without a `Range`.
    async fn get(&self, url: &str, from: u64) -> Result<Response, JsValue>;
}

/// The network, until the signal is given.
#[derive(Debug)]
pub(crate) struct Network {
    signal: AbortSignal,
}

impl Network {
    pub(crate) fn new(signal: AbortSignal) -> Self {
        Self { signal }
    }
}

impl Fetch for Network {
    async fn get(&self, url: &str, from: u64) -> Result<Response, JsValue> {
        let init = RequestInit::new();
        init.set_signal(Some(&self.signal));
        init.set_credentials(RequestCredentials::Omit);
        // A redirect would lead off the origin, or to a page that is no model.
        init.set_redirect(RequestRedirect::Error);
        // We keep the bytes ourselves; the browser's cache would hold them a second time.
        init.set_cache(RequestCache::NoStore);
        if from > 0 {
            let headers = Headers::new()?;
            headers.set("range", &format!("bytes={from}-"))?;
            init.set_headers_headers(&headers);
        }
        let request = Request::new_with_str_and_init(url, &init)?;
        Ok(js::scope().fetch_with_request(&request).await?.unchecked_into())
    }
}

/// The address of a file on this origin; everything else is refused before a byte leaves.
pub(crate) fn same_origin(file: &str, url: &str) -> Result<String> {
    let refuse = |cause: String| Error::Refused { file: file.to_owned(), cause };
    let location = js::scope().location();
    let full = Url::new_with_base(url, &location.href())
        .map_err(|_| refuse(format!("{url} is not an address; report this to whoever runs this site")))?;
    if full.origin() != location.origin() {
        let ours = location.origin();
        return Err(refuse(format!(
            "{url} is not on this site ({ours}), and nothing is loaded from elsewhere"
        )));
    }
    Ok(full.href())
}

/// First byte and whole size that a `Content-Range` names, e.g. `bytes 10-99/100`.
pub(crate) fn content_range(value: &str) -> Option<(u64, u64)> {
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _last) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, total.trim().parse().ok()?))
}

/// The chunks of a response's body.
#[derive(Debug)]
pub(crate) struct Chunks(Option<ReadableStreamDefaultReader>);

impl Chunks {
    /// A response without a body has no chunks.
    pub(crate) fn of(response: &Response) -> Self {
        Self(response.body().map(|body| body.get_reader().unchecked_into()))
    }

    /// The next chunk, or none at the end.
    pub(crate) async fn next(&self) -> Result<Option<Uint8Array>, JsValue> {
        let Some(reader) = &self.0 else { return Ok(None) };
        let step = reader.read().await?;
        if js::get(&step, "done").is_truthy() {
            return Ok(None);
        }
        js::get(&step, "value").dyn_into().map(Some)
    }
}

impl Drop for Chunks {
    /// Dropped early, it also stops the download.
    fn drop(&mut self) {
        if let Some(reader) = self.0.take() {
            // Cancelling a stream that has already failed rejects; nobody needs to hear it.
            wasm_bindgen_futures::spawn_local(async move {
                reader.cancel().await.ok();
            });
        }
    }
}
