//! The way in: what `boot.js` calls once the page's wasm is there.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use crate::app::App;
use crate::shell::page::page;

/// Puts the page in the place of the text that `index.html` shows without it.
///
/// `load_charts` imports the chart code when it is called: `() => Promise<{draw, destroy}>`.
///
/// # Errors
/// When `index.html` has no element `app`; `boot.js` shows the error.
#[wasm_bindgen]
pub fn start(load_charts: js_sys::Function) -> Result<(), JsError> {
    console_error_panic_hook::set_once();
    let place: HtmlElement = document()
        .get_element_by_id("app")
        .and_then(|place| place.dyn_into().ok())
        .ok_or_else(|| JsError::new("index.html has no element with the id app"))?;
    place.set_text_content(None);
    mount_to(place, move || {
        let app = App::new(load_charts.clone());
        page(app)
    })
    .forget();
    Ok(())
}
