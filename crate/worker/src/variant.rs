//! Which of the engine's builds this is.

/// Whether its threads can share memory, so that there can be more than one.
pub(crate) const SHARED: bool = cfg!(target_feature = "atomics");

/// Its name, as the page shows it.
pub(crate) const NAME: &str = match (cfg!(feature = "relaxed-simd"), SHARED) {
    (false, false) => "simd128",
    (true, false) => "relaxed-simd",
    (false, true) => "simd128, threads",
    (true, true) => "relaxed-simd, threads",
};

/// Its instructions in words.
pub(crate) const INSTRUCTIONS: &str = match cfg!(feature = "relaxed-simd") {
    false => "128-bit WebAssembly SIMD",
    true => "relaxed 128-bit WebAssembly SIMD",
};
