//! One large file over HTTPS: what an earlier attempt brought is gone on with if the server still has the same file, and
//! nothing gets its name before its size, and its hash where that is known, are right.

#![deny(clippy::unwrap_used, clippy::expect_used)]

mod digest;
mod error;
mod part;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED};
use ureq::http::{HeaderMap, HeaderName, Response};
use ureq::{Agent, Body};

pub use digest::sha256;
pub use error::{Error, Result};
use part::Part;

/// Longest wait for a connection, for the first byte of an answer, and for every further one.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is known of a file before it is here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a> {
    /// Size, bytes.
    pub bytes: Option<u64>,
    /// SHA-256, lower-case hex.
    pub sha256: Option<&'a str>,
}

/// A file that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Size, bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
}

/// How a transfer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It goes on behind so many bytes of an earlier attempt.
    Resumed(u64),
    /// So many bytes of an earlier attempt are dropped: the server does not hand out parts of files, or has another
    /// file by now.
    StartedOver(u64),
    /// Bytes that are here, and of how many, where the server says.
    Progress(u64, Option<u64>),
}

/// Whether a text is the address of a file, not its path.
pub fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The file name at the end of an address, without what follows `?` or `#`.
///
/// # Errors
/// It does not end in the plain name of a `.gguf` file.
pub fn file_name(url: &str) -> Result<&str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match name.chars().all(plain) && name.ends_with(".gguf") && !name.starts_with('.') {
        true => Ok(name),
        false => Err(Error::Name { url: url.to_owned() }),
    }
}

/// Brings the file at `url` to `path`, replacing what is there. What came of it lies beside it until it is whole.
///
/// # Errors
/// The address is not to be used, the server does not have the file or is not reached, the connection breaks, the bytes
/// are not those expected, or the disk refuses.
pub fn file(url: &str, path: &Path, expected: Expected<'_>, told: &mut dyn FnMut(Event)) -> Result<Received> {
    file_within(PATIENCE, url, path, expected, told)
}

/// As [`file`], with the longest wait for a connection or for a byte to come.
///
/// # Errors
/// As [`file`].
pub fn file_within(
    patience: Duration,
    url: &str,
    path: &Path,
    expected: Expected<'_>,
    told: &mut dyn FnMut(Event),
) -> Result<Received> {
    let agent = agent(url, patience)?;
    let mut part = Part::open(path, url)?;
    let kept = part.kept();
    let response = request(&agent, url, &part)?;
    let (response, from) = match response.status().as_u16() {
        206 if kept > 0 && first_byte(response.headers()) == Some(kept) => (response, kept),
        200 => (response, 0),
        // Whole already, or another file by now: from the first byte.
        206 | 416 if kept > 0 => {
            part.clear()?;
            (request(&agent, url, &part)?, 0)
        }
        _ => (response, 0),
    };
    if !response.status().is_success() {
        return Err(Error::Status { url: url.to_owned(), status: response.status().to_string() });
    }
    match (from, kept) {
        (0, 0) => {}
        (0, _) => told(Event::StartedOver(kept)),
        _ => told(Event::Resumed(from)),
    }
    let left = number(response.headers(), CONTENT_LENGTH);
    let total = left.map(|left| from + left).or(expected.bytes);
    if let (Some(got), Some(want)) = (total, expected.bytes)
        && got != want
    {
        part.remove();
        return Err(Error::Size { url: url.to_owned(), want, got });
    }
    if from == 0 {
        part.start(validator(response.headers()))?;
    }
    receive(url, patience, response, &mut part, from, total, told)?;
    finish(url, path, part, expected)
}

/// Encrypted connections only, after a redirection too; but for this machine's own servers.
fn agent(url: &str, patience: Duration) -> Result<Agent> {
    let host = url.strip_prefix("http://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let here = |host: &str| ["127.0.0.1", "localhost"].contains(&host.split(':').next().unwrap_or_default());
    let local = host.is_some_and(here);
    if !local && !url.starts_with("https://") {
        return Err(Error::NotEncrypted { url: url.to_owned() });
    }
    let config = Agent::config_builder().http_status_as_error(false).https_only(!local);
    let config = config.timeout_connect(Some(patience)).timeout_recv_response(Some(patience));
    let config = config.timeout_per_read(Some(patience));
    Ok(config.build().into())
}

fn request(agent: &Agent, url: &str, part: &Part) -> Result<Response<Body>> {
    let mut request = agent.get(url).header("accept-encoding", "identity");
    if let Some(validator) = part.validator() {
        // The whole file comes where it is not the same any more.
        request = request.header("range", format!("bytes={}-", part.kept())).header("if-range", validator);
    }
    request.call().map_err(|error| Error::Unreachable { url: url.to_owned(), cause: error.to_string() })
}

fn receive(
    url: &str,
    patience: Duration,
    response: Response<Body>,
    part: &mut Part,
    from: u64,
    total: Option<u64>,
    told: &mut dyn FnMut(Event),
) -> Result<()> {
    let mut reader = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut done = from;
    loop {
        let cut = |cause: String| Error::Truncated { url: url.to_owned(), done, total, cause };
        let count = match reader.read(&mut buffer) {
            Ok(count) => count,
            Err(error) => {
                return Err(cut(match ureq::Error::from(error) {
                    ureq::Error::Timeout(_) => format!("no byte came for {} s", patience.as_secs()),
                    other => other.to_string(),
                }));
            }
        };
        if count == 0 {
            return match total {
                Some(total) if done < total => Err(cut("it ended early".to_owned())),
                _ => Ok(()),
            };
        }
        if total.is_some_and(|total| done + count as u64 > total) {
            part.remove();
            return Err(Error::Size {
                url: url.to_owned(),
                want: total.unwrap_or_default(),
                got: done + count as u64,
            });
        }
        part.file().write_all(&buffer[..count]).map_err(|source| part.refused("written", source))?;
        done += count as u64;
        told(Event::Progress(done, total));
    }
}

fn finish(url: &str, path: &Path, mut part: Part, expected: Expected<'_>) -> Result<Received> {
    part.file().sync_all().map_err(|source| part.refused("written", source))?;
    let (bytes, sha256) = sha256(part.path())?;
    if let Some(want) = expected.bytes.filter(|want| *want != bytes) {
        part.remove();
        return Err(Error::Size { url: url.to_owned(), want, got: bytes });
    }
    if let Some(want) = expected.sha256.filter(|want| *want != sha256) {
        part.remove();
        return Err(Error::Hash { url: url.to_owned(), want: want.to_owned(), got: sha256 });
    }
    fs::rename(part.path(), path).map_err(|source| part.refused("named", source))?;
    part.remove();
    Ok(Received { bytes, sha256 })
}

/// What tells this version of the file from others: a strong entity tag, else its date.
fn validator(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    text(ETAG).filter(|tag| !tag.starts_with("W/")).or_else(|| text(LAST_MODIFIED))
}

/// First byte that a `Content-Range` names.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
