//! The table of WebAssembly builds: one source, one file per set of processor features.

use wasmparser::WasmFeatures;

/// One build of one crate.
pub(crate) struct Variant {
    /// Crate that is built.
    pub(crate) package: &'static str,
    /// Name of the files in dist/, without extension.
    pub(crate) out: &'static str,
    /// Cargo profile.
    pub(crate) profile: &'static str,
    /// rustc target features; also names the target folder, so that variants do not undo each other's caches.
    pub(crate) features: &'static [&'static str],
    /// What the finished file must make use of.
    pub(crate) proof: &'static [Proof],
    /// Passes of wasm-opt, besides removing names.
    pub(crate) optimise: &'static [&'static str],
}

/// A WebAssembly proposal that a build is made for.
pub(crate) struct Proof {
    /// Name for messages.
    pub(crate) name: &'static str,
    /// Instructions of the proposal.
    pub(crate) feature: WasmFeatures,
}

const SIMD: Proof = Proof { name: "simd128", feature: WasmFeatures::SIMD };

/// Small first: it stands before anything else can be seen.
pub(crate) const PAGE: Variant = Variant {
    package: "page",
    out: "page",
    profile: "page",
    features: &["+simd128"],
    proof: &[],
    optimise: &["-Os"],
};

/// The engine's builds. The page picks one by what the browser can do.
///
/// No pass of wasm-opt: measured in turns in one tab, `-O3` took a quarter of the speed of LLVM's own code (decode
/// 23 instead of 31 tokens/s, prefill 97 instead of 135) and doubled the time to load, for 1 % of the gzipped size.
pub(crate) const ENGINES: &[Variant] = &[Variant {
    package: "worker",
    out: "engine-simd128",
    profile: "release",
    features: &["+simd128"],
    proof: &[SIMD],
    optimise: &[],
}];
