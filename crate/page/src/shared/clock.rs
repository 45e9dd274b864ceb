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

/// A moment in words: day as `YYYY-MM-DD` and time as `HH:MM`, UTC; empty beyond the calendar.
pub(crate) fn moment(at_unix_ms: f64) -> (String, String) {
    const LAST_MS: f64 = 8.64e15;
    let text = (at_unix_ms.abs() <= LAST_MS).then(|| js_sys::Date::new(&at_unix_ms.into()).to_iso_string());
    let text = text.and_then(|text| text.as_string()).unwrap_or_default();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    (day.to_owned(), time.get(..5).unwrap_or_default().to_owned())
}

/// Today, `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    moment(js_sys::Date::now()).0
}

/// Whether the visitor asked for little motion.
pub(crate) fn calm() -> bool {
    let asked = window().match_media("(prefers-reduced-motion: reduce)");
    asked.ok().flatten().is_some_and(|query| query.matches())
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
