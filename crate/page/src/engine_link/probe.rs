//! Asks the browser what this device offers. Nothing is downloaded for it.

use js_sys::{Function, Promise, Reflect, WebAssembly};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::engine_link::device::{DOT_PROBE, Device, Gpu, IN_PAIRS, Relaxed, SIMD_PROBE};

/// The findings that need no waiting.
pub(crate) fn now() -> Device {
    let window = leptos::prelude::window();
    let navigator = window.navigator();
    let cores = navigator.hardware_concurrency();
    Device {
        simd: valid(SIMD_PROBE),
        relaxed_simd: relaxed_simd(),
        gpu: Gpu::Asking,
        isolated: get(&window, "crossOriginIsolated").as_bool().unwrap_or(false),
        shared_memory: shared_memory(),
        cores: (cores >= 1.0).then_some(cores as u32),
        memory_gb: get(&navigator, "deviceMemory").as_f64(),
        storage: None,
    }
}

/// The findings that the browser gives a little later.
pub(crate) struct Asked {
    gpu: Gpu,
    storage: Option<(f64, f64)>,
}

impl Asked {
    /// Adds the answers to what was known at once.
    pub(crate) fn apply(self, device: &mut Device) {
        device.gpu = self.gpu;
        device.storage = self.storage;
    }
}

/// Asks for a GPU adapter and for the room in storage.
pub(crate) async fn asked() -> Asked {
    Asked { gpu: gpu().await, storage: storage().await }
}

fn valid(module: &[u8]) -> bool {
    let bytes = js_sys::Uint8Array::from(module);
    WebAssembly::validate(bytes.as_ref()).unwrap_or(false)
}

fn relaxed_simd() -> Relaxed {
    match valid(DOT_PROBE).then(dot) {
        None => Relaxed::Absent,
        Some(Some(IN_PAIRS)) => Relaxed::Emulated,
        Some(_) => Relaxed::Direct,
    }
}

/// The result of [`DOT_PROBE`] here, where it runs.
fn dot() -> Option<f64> {
    let module = WebAssembly::Module::new(&js_sys::Uint8Array::from(DOT_PROBE)).ok()?;
    let instance = WebAssembly::Instance::new(&module, &js_sys::Object::new()).ok()?;
    let dot: Function = get(&instance.exports(), "dot").dyn_into().ok()?;
    dot.call0(&JsValue::UNDEFINED).ok()?.as_f64()
}

/// Memory to share, and waiting for it to change without blocking: where a browser cannot, wasm-bindgen waits in
/// workers that the page's policy forbids.
fn shared_memory() -> bool {
    let global = js_sys::global();
    get(&global, "SharedArrayBuffer").is_function()
        && get(&get(&global, "Atomics"), "waitAsync").is_function()
}

async fn gpu() -> Gpu {
    let gpu = get(&leptos::prelude::window().navigator(), "gpu");
    if gpu.is_falsy() {
        return Gpu::Unsupported;
    }
    // An adapter that is refused and one that is absent mean the same to a visitor.
    match call(&gpu, "requestAdapter").await {
        Some(adapter) if adapter.is_truthy() => {
            let info = get(&adapter, "info");
            let part = |name| get(&info, name).as_string().filter(|text| !text.is_empty());
            let words: Vec<String> = ["vendor", "architecture"].into_iter().filter_map(part).collect();
            let fallback = get(&info, "isFallbackAdapter").as_bool().unwrap_or(false);
            let name = words.join(" ");
            Gpu::Adapter { software: fallback || protocol::is_software(&name), name }
        }
        _ => Gpu::NoAdapter,
    }
}

async fn storage() -> Option<(f64, f64)> {
    let manager = get(&leptos::prelude::window().navigator(), "storage");
    let estimate = call(&manager, "estimate").await?;
    Some((get(&estimate, "usage").as_f64()?, get(&estimate, "quota").as_f64()?))
}

/// Calls a method that returns a promise, by name: not every browser has it.
async fn call(target: &JsValue, method: &str) -> Option<JsValue> {
    let method: Function = get(target, method).dyn_into().ok()?;
    let promise: Promise = method.call0(target).ok()?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()
}

fn get(target: &JsValue, name: &str) -> JsValue {
    if target.is_object() {
        Reflect::get(target, &name.into()).unwrap_or_default()
    } else {
        JsValue::UNDEFINED
    }
}
