//! The way in: what `boot.js` calls once the page's wasm is there.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use crate::app::App;
use crate::engine_link::{builds, probe};
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
        connect(app);
        page(app)
    })
    .forget();
    Ok(())
}

/// Joins the state to the worker, asks the device and the server what there is, and lets the features follow one another.
fn connect(app: App) {
    app.bridge.on_message(move |message| app.receive(message));
    app.bridge.on_crash(move |message| app.crashed(message));
    app.bridge.on_fallback(move |fallback| app.fallbacks.update(|all| all.push(fallback)));
    app.bridge.on_file(move |(name, file)| app.on_exported(&name, &file));
    app.device.set(probe::now());
    app.bridge.set_builds(app.device.with_untracked(builds::runnable));
    leptos::task::spawn_local(async move {
        let asked = probe::asked().await;
        app.device.update(|device| asked.apply(device));
    });
    app.read_catalogue();
    app.look_into_store();
    app.watch_visibility();
    app.follow_cloud();
    app.follow_race();
}
