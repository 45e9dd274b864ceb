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

/// Now, ms since the Unix epoch, on the clock that page and worker share.
pub(crate) fn epoch_ms() -> f64 {
    let clock = window().performance();
    clock.map_or_else(js_sys::Date::now, |clock| clock.time_origin() + clock.now())
}

/// A moment in words: day as `YYYY-MM-DD` and time as `HH:MM`, UTC; empty beyond the calendar.
pub(crate) fn moment(at_unix_ms: f64) -> (String, String) {
    const LAST_MS: f64 = 8.64e15;
    let text = (at_unix_ms.abs() <= LAST_MS).then(|| js_sys::Date::new(&at_unix_ms.into()).to_iso_string());
    let text = text.and_then(|text| text.as_string()).unwrap_or_default();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    (day.to_owned(), time.get(..5).unwrap_or_default().to_owned())
}

/// The same in one piece: `2026-11-25 08:40 UTC`.
pub(crate) fn stamp(at_unix_ms: u64) -> String {
    let (day, time) = moment(at_unix_ms as f64);
    format!("{day} {time} UTC")
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

/// Runs something once the present state is on the screen, so that no single task holds the page up for long.
pub(crate) fn after_first_paint(then: impl FnOnce() + 'static) {
    request_animation_frame(move || set_timeout(then, std::time::Duration::ZERO));
}

/// Until the next frame; in a hidden tab, which has none, until the browser runs timers.
pub(crate) async fn next_frame() {
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
