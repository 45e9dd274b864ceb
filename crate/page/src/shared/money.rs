//! Dollars as the visitor's locale writes them.

use economics::Usd;
use js_sys::{Array, Function, Intl, Object, Reflect};
use leptos::prelude::window;
use wasm_bindgen::JsValue;

thread_local! {
    /// Whole dollars, cents, and small prices.
    static FORMATS: [Option<Function>; 3] = [(0, 0), (2, 2), (0, 6)].map(|(least, most)| format(least, most));
}

/// The browser's formatter for US dollars with so many decimals.
fn format(least: u32, most: u32) -> Option<Function> {
    let options = Object::new();
    let set = |key: &str, value: JsValue| Reflect::set(&options, &key.into(), &value).is_ok();
    let complete = set("style", "currency".into())
        && set("currency", "USD".into())
        && set("minimumFractionDigits", least.into())
        && set("maximumFractionDigits", most.into());
    let locales =
        window().navigator().language().map(|language| Array::of1(&language.into())).unwrap_or_default();
    complete.then(|| Intl::NumberFormat::new(&locales, &options).format())
}

/// Whole dollars from one hundred up, cents below, small prices with up to six decimals.
pub(crate) fn money(value: Usd) -> String {
    let size = value.0.abs();
    let digits = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 0.01 {
        1
    } else {
        2
    };
    // Rounding noise is not a price, and has no sign.
    let shown = if size < 5e-7 { 0.0 } else { value.0 };
    let own = FORMATS.with(|formats| {
        let format = formats[digits].as_ref()?;
        format.call1(&JsValue::NULL, &shown.into()).ok()?.as_string()
    });
    // A minus as long as a digit, as everywhere on the page.
    own.map_or_else(|| economics::usd(value), |text| text.replace('-', "−"))
}

/// A share as per cent.
pub(crate) fn percent(value: f64) -> String {
    economics::share(value)
}
