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
    /// Features of the crate. They rebuild no dependency, so what can differ by one of them costs a link only.
    pub(crate) options: &'static [&'static str],
    /// Whether its memory is shared between threads.
    pub(crate) shared: bool,
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
const RELAXED: Proof = Proof { name: "relaxed SIMD", feature: WasmFeatures::RELAXED_SIMD };
const THREADS: Proof = Proof { name: "threads", feature: WasmFeatures::THREADS };

const ALONE: &[&str] = &["+simd128"];
const SHARED: &[&str] = &["+simd128", "+atomics"];
const RELAXED_KERNELS: &[&str] = &["relaxed-simd"];

/// Small first: it stands before anything else can be seen.
pub(crate) const PAGE: Variant = Variant {
    package: "page",
    out: "page",
    profile: "page",
    features: ALONE,
    options: &[],
    shared: false,
    proof: &[],
    optimise: &["-Os"],
};

/// The engine's builds, the one that runs everywhere first. The page picks one by what the browser can do.
pub(crate) const ENGINES: &[Variant] = &[
    engine("engine-simd128", &[], &[SIMD]),
    engine("engine-relaxed", RELAXED_KERNELS, &[SIMD, RELAXED]),
    shared("engine-simd128-threads", &[], &[SIMD, THREADS]),
    shared("engine-relaxed-threads", RELAXED_KERNELS, &[SIMD, RELAXED, THREADS]),
];

/// An engine for one thread.
///
/// No pass of wasm-opt: measured in turns in one tab, `-O3` took a quarter of the speed of LLVM's own code (decode
/// 23 instead of 31 tokens/s, prefill 97 instead of 135) and doubled the time to load, for 1 % of the gzipped size.
const fn engine(out: &'static str, options: &'static [&'static str], proof: &'static [Proof]) -> Variant {
    Variant {
        package: "worker",
        out,
        profile: "release",
        features: ALONE,
        options,
        shared: false,
        proof,
        optimise: &[],
    }
}

/// An engine whose threads share one memory.
const fn shared(out: &'static str, options: &'static [&'static str], proof: &'static [Proof]) -> Variant {
    Variant { features: SHARED, shared: true, ..engine(out, options, proof) }
}
