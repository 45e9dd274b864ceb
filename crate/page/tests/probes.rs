//! The device check's probes against a real engine: each is valid exactly where its feature is.
#![cfg(target_arch = "wasm32")]

use page::engine_link::device::{DOT_PROBE, SIMD_PROBE};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn valid(module: &[u8]) -> bool {
    js_sys::WebAssembly::validate(js_sys::Uint8Array::from(module).as_ref()).unwrap_or(false)
}

/// This test itself is compiled with SIMD, so a browser that runs it has it; every browser the tests use has
/// relaxed SIMD too.
#[wasm_bindgen_test]
fn probes_are_valid_where_the_features_are() {
    assert!(valid(SIMD_PROBE));
    assert!(valid(DOT_PROBE));
}

#[wasm_bindgen_test]
fn a_broken_probe_is_not_valid() {
    let mut broken = SIMD_PROBE.to_vec();
    if let Some(end) = broken.last_mut() {
        *end = 0xff;
    }
    assert!(!valid(&broken));
}
