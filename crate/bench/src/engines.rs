//! The table of everything that is measured: which build or program, on how many threads.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::peers;

/// Nibble's builds: name for people, and the file that an isolated page runs, on one thread as on several.
const BUILDS: [(&str, &str); 2] =
    [("relaxed-simd", "engine-relaxed-threads"), ("simd128", "engine-simd128-threads")];

/// Whose engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Maker {
    /// This project, in a tab.
    Nibble,
    /// llama.cpp in WebAssembly, in a tab.
    Wllama,
    /// llama.cpp as a process.
    Llama,
}

/// One engine as it is measured.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Engine {
    /// Short and unique, such as `relaxed-simd-2`.
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
    pub(crate) maker: Maker,
    /// File of the build in dist/, without extension; Nibble's only.
    pub(crate) build: Option<String>,
    pub(crate) threads: u32,
}

impl Engine {
    fn new(maker: Maker, short: &str, name: String, build: Option<&str>, threads: u32) -> Self {
        let build = build.map(str::to_owned);
        Self { id: format!("{short}-{threads}"), name, maker, build, threads }
    }

    /// Where it runs, for people.
    pub(crate) fn place(&self) -> &'static str {
        if self.maker == Maker::Llama { "process" } else { "Chromium tab" }
    }
}

/// Every engine at 1 and at `threads` threads.
pub(crate) fn all(threads: u32, native: bool) -> Vec<Engine> {
    let counts: &[u32] = if threads > 1 { &[1, threads] } else { &[1] };
    let mut engines = Vec::new();
    for (name, build) in BUILDS {
        let engine =
            |&count: &u32| Engine::new(Maker::Nibble, name, format!("Nibble, {name}"), Some(build), count);
        engines.extend(counts.iter().map(engine));
    }
    let peer = |maker, short: &'static str, name: String| {
        counts.iter().map(move |&count| Engine::new(maker, short, name.clone(), None, count))
    };
    engines.extend(peer(Maker::Wllama, "wllama", format!("wllama {}", peers::WLLAMA)));
    if native {
        engines.extend(peer(Maker::Llama, "llama", "llama.cpp, native".to_owned()));
    }
    engines
}

/// Those of `engines` that were asked for by id; all of them where `ids` is empty.
pub(crate) fn chosen(engines: Vec<Engine>, ids: &[String]) -> Result<Vec<Engine>> {
    let known = engines.iter().map(|engine| engine.id.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(id) = ids.iter().find(|id| engines.iter().all(|engine| engine.id != **id)) {
        bail!("there is no engine {id}; there are: {known}");
    }
    Ok(engines.into_iter().filter(|engine| ids.is_empty() || ids.contains(&engine.id)).collect())
}

/// An error if the built site lacks a build that is to be measured.
pub(crate) fn ensure_built(dist: &Path, engines: &[Engine]) -> Result<()> {
    for build in engines.iter().filter_map(|engine| engine.build.as_ref()) {
        ensure!(
            dist.join(format!("{build}.js")).is_file() && dist.join(format!("{build}_bg.wasm")).is_file(),
            "{} has no {build}, so it cannot be measured; is it in the table of crate/xtask/src/variant.rs?",
            dist.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{all, chosen, ensure_built};

    #[test]
    fn every_engine_is_there_once_per_thread_count() {
        let ids = |threads| all(threads, true).into_iter().map(|engine| engine.id).collect::<Vec<_>>();
        assert_eq!(ids(1), ["relaxed-simd-1", "simd128-1", "wllama-1", "llama-1"]);
        assert_eq!(ids(4).len(), 8);
        assert!(all(2, false).iter().all(|engine| !engine.id.starts_with("llama")));
    }

    #[test]
    fn engines_are_chosen_by_id_and_must_be_built() {
        let two = chosen(all(2, true), &["simd128-1".into(), "llama-2".into()]).unwrap();
        assert_eq!(two.len(), 2);
        let refused = chosen(all(2, true), &["simd129".into()]).unwrap_err().to_string();
        assert!(refused.contains("no engine simd129") && refused.contains("wllama-2"), "{refused}");
        let missing = ensure_built("no-such-folder".as_ref(), &two).unwrap_err().to_string();
        assert!(missing.contains("has no engine-simd128"), "{missing}");
    }
}
