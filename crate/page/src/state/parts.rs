//! The browser's clock and frames.

use js_sys::Promise;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;

/// Monotonic, ms; 0 in a browser without such a clock.
pub(crate) fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

/// Until the next frame; in a hidden tab, which has none, until the browser runs timers.
pub(crate) async fn frame() {
    let promise = Promise::new(&mut |resolve, _| {
        let hidden = document().hidden();
        let go_on = Closure::once_into_js(move || {
            resolve.call0(&JsValue::NULL).ok();
        });
        let go_on = wasm_bindgen::JsCast::unchecked_ref(&go_on);
        if hidden {
            window().set_timeout_with_callback(go_on).ok();
        } else {
            window().request_animation_frame(go_on).ok();
        }
    });
    JsFuture::from(promise).await.ok();
}
