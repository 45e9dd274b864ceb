//! A server on this machine that does what a test asks of it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use transfer::{Error, Event, Expected, file, file_name, file_within, is_url, sha256};

/// How a server behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Ranges,
    NoRanges,
    /// Ends every connection after so many bytes.
    CutAfter(usize),
    /// Says nothing more after so many bytes, and waits.
    StallAfter(usize),
    Status(u16),
}

/// What it serves, under which tag, and the ranges it was asked for.
struct State {
    bytes: Vec<u8>,
    tag: &'static str,
    manner: Manner,
    asked: Vec<Option<String>>,
}

struct Server {
    url: String,
    state: Arc<Mutex<State>>,
    folder: PathBuf,
}

impl Server {
    fn new(name: &str, manner: Manner) -> Self {
        let bytes = (0..300_000u32).map(|i| (i % 251) as u8).collect();
        let state = Arc::new(Mutex::new(State { bytes, tag: "\"one\"", manner, asked: Vec::new() }));
        let shared = Arc::clone(&state);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/m.gguf", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that leaves early is part of some tests.
                let _ = answer(&mut shared.lock().unwrap(), stream.unwrap());
            }
        });
        let folder = std::env::temp_dir().join(format!("nibble-transfer-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        Self { url, state, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("m.gguf")
    }

    fn with<T>(&self, then: impl FnOnce(&mut State) -> T) -> T {
        then(&mut self.state.lock().unwrap())
    }

    /// What came, and what was said but for the progress.
    fn fetch(&self, expected: Expected<'_>) -> (transfer::Result<transfer::Received>, Vec<Event>) {
        let mut events = Vec::new();
        let received = file(&self.url, &self.path(), expected, &mut |event| {
            if !matches!(event, Event::Progress(..)) {
                events.push(event);
            }
        });
        (received, events)
    }

    fn asked(&self) -> Vec<Option<String>> {
        self.with(|state| std::mem::take(&mut state.asked))
    }

    /// Names in the folder.
    fn left(&self) -> Vec<String> {
        let names = fs::read_dir(&self.folder).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Answers one request and closes the connection.
fn answer(state: &mut State, mut stream: TcpStream) -> std::io::Result<()> {
    let lines = BufReader::new(stream.try_clone()?).lines();
    let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let header =
        |name: &str| head.iter().find_map(|line| line.to_lowercase().strip_prefix(name).map(str::to_owned));
    let range = header("range: bytes=");
    let from = range.as_ref().map(|range| range.trim_end_matches('-').parse::<usize>().unwrap());
    state.asked.push(range.map(|range| format!("bytes={range}")));
    let total = state.bytes.len();
    if let Manner::Status(status) = state.manner {
        return write!(stream, "HTTP/1.1 {status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    }
    let same = header("if-range: ").is_none_or(|tag| tag == state.tag);
    let from = from.filter(|_| same && state.manner != Manner::NoRanges);
    let rest = &state.bytes[from.unwrap_or(0)..];
    let status = match from {
        Some(from) => format!("206 Partial\r\ncontent-range: bytes {from}-{}/{total}", total - 1),
        None => "200 OK".to_owned(),
    };
    let (length, tag) = (rest.len(), state.tag);
    write!(
        stream,
        "HTTP/1.1 {status}\r\netag: {tag}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )?;
    stream.write_all(match state.manner {
        Manner::CutAfter(count) | Manner::StallAfter(count) => &rest[..count],
        _ => rest,
    })?;
    if let Manner::StallAfter(_) = state.manner {
        // Until the client has had enough.
        std::io::copy(&mut stream, &mut std::io::sink())?;
    }
    Ok(())
}

#[test]
fn a_whole_file_gets_its_name_and_leaves_nothing_else() {
    let server = Server::new("whole", Manner::Ranges);
    let (received, events) = server.fetch(Expected::default());
    let received = received.unwrap();
    assert_eq!(received.bytes, 300_000);
    assert_eq!(sha256(&server.path()).unwrap(), (300_000, received.sha256.clone()));
    assert_eq!((events, server.left()), (vec![], vec!["m.gguf".to_owned()]));
    let expected = Expected { bytes: Some(300_000), sha256: Some(&received.sha256) };
    assert_eq!(server.fetch(expected).0.unwrap(), received);
}

#[test]
fn what_broke_off_is_gone_on_with() {
    let server = Server::new("resume", Manner::CutAfter(100_000));
    let error = server.fetch(Expected::default()).0.unwrap_err().to_string();
    assert!(
        error.contains("connection broke after 100000 bytes of 300000") && error.contains("again"),
        "{error}"
    );
    assert!(!server.path().exists());
    server.with(|state| state.manner = Manner::Ranges);
    let (received, events) = server.fetch(Expected::default());
    assert_eq!(events, [Event::Resumed(100_000)]);
    assert_eq!(server.asked(), [None, Some("bytes=100000-".to_owned())]);
    assert_eq!(fs::read(server.path()).unwrap(), server.with(|state| state.bytes.clone()));
    assert_eq!(received.unwrap().bytes, 300_000);
}

#[test]
fn a_server_that_falls_silent_is_not_waited_for() {
    let server = Server::new("stall", Manner::StallAfter(100_000));
    let patience = Duration::from_secs(1);
    let error = file_within(patience, &server.url, &server.path(), Expected::default(), &mut |_| ());
    let error = error.unwrap_err();
    let Error::Truncated { done, .. } = error else { panic!("{error}") };
    let said = error.to_string();
    assert!(said.starts_with(&server.url) && said.contains("no byte came for 1 s"), "{said}");
    assert!(said.contains("run the same command again"), "{said}");
    server.with(|state| state.manner = Manner::Ranges);
    let (received, events) = server.fetch(Expected::default());
    assert_eq!((received.unwrap().bytes, events), (300_000, vec![Event::Resumed(done)]));
}

#[test]
fn a_server_without_ranges_or_with_another_file_starts_over() {
    for change in [
        |state: &mut State| state.manner = Manner::NoRanges,
        |state: &mut State| {
            state.manner = Manner::Ranges;
            state.tag = "\"two\"";
            state.bytes.iter_mut().for_each(|byte| *byte ^= 1);
        },
    ] {
        let server = Server::new("over", Manner::CutAfter(100_000));
        server.fetch(Expected::default()).0.unwrap_err();
        server.with(change);
        let (received, events) = server.fetch(Expected::default());
        assert_eq!((received.unwrap().bytes, events), (300_000, vec![Event::StartedOver(100_000)]));
        // Nothing of the earlier version is in it.
        assert_eq!(fs::read(server.path()).unwrap(), server.with(|state| state.bytes.clone()));
    }
}

#[test]
fn a_wrong_hash_or_size_is_refused_and_nothing_of_it_kept() {
    let server = Server::new("wrong", Manner::Ranges);
    let zeros = "0".repeat(64);
    let (received, _) = server.fetch(Expected { bytes: None, sha256: Some(&zeros) });
    let error = received.unwrap_err();
    assert!(matches!(&error, Error::Hash { want, .. } if *want == zeros), "{error}");
    assert!(server.left().is_empty(), "{:?}", server.left());
    let error = server.fetch(Expected { bytes: Some(5), sha256: None }).0.unwrap_err();
    assert!(matches!(error, Error::Size { want: 5, got: 300_000, .. }), "{error}");
    assert!(server.left().is_empty(), "{:?}", server.left());
}

#[test]
fn a_missing_file_and_a_missing_server_are_sentences() {
    let server = Server::new("missing", Manner::Status(404));
    let error = server.fetch(Expected::default()).0.unwrap_err().to_string();
    assert!(error.contains("the server answered 404") && error.starts_with(&server.url), "{error}");
    let folder = server.folder.join("down");
    let error = file("http://127.0.0.1:1/m.gguf", &folder.join("m.gguf"), Expected::default(), &mut |_| ());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("could not be reached"), "{error}");
}

#[test]
fn only_encrypted_addresses_of_gguf_files_are_used() {
    let path = std::env::temp_dir().join("nibble-never.gguf");
    for url in ["http://example.com/m.gguf", "http://127.0.0.1.example.com/m.gguf", "ftp://localhost/m.gguf"]
    {
        let error = file(url, &path, Expected::default(), &mut |_| ()).unwrap_err();
        assert!(matches!(error, Error::NotEncrypted { .. }), "{error}");
    }
    assert_eq!(file_name("https://example.com/a/b-1.Q4_K_M.gguf?download=true").unwrap(), "b-1.Q4_K_M.gguf");
    for url in [
        "https://example.com/",
        "https://example.com/m.bin",
        "https://example.com/.gguf",
        "https://e.com/a%2F.gguf",
    ] {
        assert!(matches!(file_name(url), Err(Error::Name { .. })), "{url}");
    }
    assert!(is_url("https://example.com/m.gguf") && !is_url("models/m.gguf"));
}
