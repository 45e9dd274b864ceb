//! A static server for dist/ with the headers that the page is built for.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// The page's Content-Security-Policy; `www/index.html` carries the same text, for hosts that set no headers.
const POLICY: &str = include_str!("csp.txt");

/// A running server; it stops when the process does.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    thread: JoinHandle<()>,
}

/// Serves until the program is ended.
pub fn forever(dist: &Path, port: u16) -> Result<()> {
    let server = start(dist, port)?;
    eprintln!("Nibble is at http://{} (Ctrl-C ends it)", server.address);
    if server.thread.join().is_err() {
        bail!("the server stopped unexpectedly");
    }
    Ok(())
}

/// Serves `dist` on 127.0.0.1 in the background; port 0 takes a free one.
pub fn start(dist: &Path, port: u16) -> Result<Server> {
    if !dist.join("index.html").is_file() {
        bail!("{} holds no site; run: cargo xtask build", dist.display());
    }
    run(listen(port)?, site(dist)?)
}

/// Serves folders under prefixes on a free port, each with how browsers may cache it, and without the page's policy:
/// the bench's peers need blob workers.
pub fn folders(folders: Vec<(&str, PathBuf, &'static str)>) -> Result<Server> {
    let nest = |router: Router, (prefix, folder, cache): (&str, PathBuf, &'static str)| {
        let headers = [(CACHE_CONTROL, HeaderValue::from_static(cache))];
        let folder = Router::new().fallback_service(ServeDir::new(folder));
        router.nest(prefix, with_headers(folder, headers))
    };
    run(listen(0)?, with_headers(folders.into_iter().fold(Router::new(), nest), isolation()))
}

/// Both together allow shared memory, and with it threads.
fn isolation() -> [(HeaderName, HeaderValue); 2] {
    [
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-embedder-policy"), HeaderValue::from_static("require-corp")),
    ]
}

fn with_headers(router: Router, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Router {
    headers
        .into_iter()
        .fold(router, |router, (name, value)| router.layer(SetResponseHeaderLayer::overriding(name, value)))
}

fn run(listener: TcpListener, router: Router) -> Result<Server> {
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let thread = std::thread::spawn(move || {
        runtime.block_on(async {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => drop(axum::serve(listener, router).await),
                Err(error) => eprintln!("the server could not start: {error}"),
            }
        });
    });
    Ok(Server { address, thread })
}

/// An error if another program has the port.
pub fn ensure_free(port: u16) -> Result<()> {
    listen(port).map(drop)
}

fn listen(port: u16) -> Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} on 127.0.0.1 is in use by another program; end that one, or choose another port, e.g.: \
             cargo xtask demo --port {}",
            if port < u16::MAX { port + 1 } else { 8081 }
        ),
        Err(error) => Err(error).with_context(|| format!("could not listen on 127.0.0.1:{port}")),
    }
}

fn site(dist: &Path) -> Result<Router> {
    let policy = format!("{}; frame-ancestors 'none'", POLICY.trim_end());
    let headers = [
        (CONTENT_SECURITY_POLICY, HeaderValue::try_from(policy)?),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // Asked again each time, answered with 304 when unchanged: a rebuilt page never meets an old engine.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    let router = Router::new().fallback_service(ServeDir::new(dist));
    Ok(with_headers(router, headers.into_iter().chain(isolation())))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::path::Path;

    use super::{ensure_free, listen, start};

    /// Status line, headers and body of an answer, in lower case.
    fn get(address: std::net::SocketAddr, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n")
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).to_lowercase()
    }

    #[test]
    fn the_site_is_served_with_its_headers_types_and_ranges() {
        let dist = std::env::temp_dir().join(format!("nibble-serve-{}", std::process::id()));
        std::fs::create_dir_all(&dist).unwrap();
        std::fs::write(dist.join("index.html"), "<!doctype html>hello").unwrap();
        std::fs::write(dist.join("page_bg.wasm"), "0123456789").unwrap();
        let address = start(&dist, 0).unwrap().address;
        let page = get(address, "/", "");
        for expected in [
            "200 ok",
            "content-type: text/html",
            "cache-control: no-cache",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-embedder-policy: require-corp",
            "x-content-type-options: nosniff",
            "script-src 'self' 'wasm-unsafe-eval'",
            "frame-ancestors 'none'",
        ] {
            assert!(page.contains(expected), "{expected} in {page}");
        }
        let wasm = get(address, "/page_bg.wasm", "Range: bytes=2-4\r\n");
        assert!(
            wasm.contains("206 partial") && wasm.contains("application/wasm") && wasm.ends_with("234"),
            "{wasm}"
        );
        assert!(get(address, "/nothing", "").contains("404 not found"));
        assert!(get(address, "/../Cargo.toml", "").contains("404"));
        std::fs::remove_dir_all(dist).unwrap();
    }

    #[test]
    fn a_port_in_use_is_told_with_what_to_do() {
        let holder = listen(0).unwrap();
        let taken = holder.local_addr().unwrap().port();
        let message = ensure_free(taken).unwrap_err().to_string();
        assert!(message.contains(&taken.to_string()) && message.contains("--port"), "{message}");
    }

    #[test]
    fn without_a_site_the_build_is_named() {
        let message = start(Path::new("no-such-folder"), 0).map(drop).unwrap_err().to_string();
        assert!(message.contains("cargo xtask build"), "{message}");
    }
}
