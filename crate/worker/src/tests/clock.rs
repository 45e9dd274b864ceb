use js_sys::{Array, Promise};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Blob, MessageEvent, Url, Worker};

use super::text;
use crate::clock::{Pace, now_ms, tick_ms};

/// Browsers may round `timeOrigin` and `now()`, each to about a tenth of a millisecond, one a context.
const ROUNDING_MS: f64 = 1.0;

/// A context of its own, with a `timeOrigin` of its own, that answers with the protocol's time.
const OTHER: &str = "onmessage = () => postMessage(performance.timeOrigin + performance.now());";

#[wasm_bindgen_test]
async fn two_contexts_share_the_clock() {
    let script = Blob::new_with_str_sequence(&Array::of1(&text(OTHER))).unwrap();
    let address = Url::create_object_url_with_blob(&script).unwrap();
    let other = Worker::new(&address).unwrap();
    for _ in 0..5 {
        let asked = now_ms();
        let answer = Promise::new(&mut |resolve, reject| {
            other.set_onmessage(Some(&resolve));
            other.set_onerror(Some(&reject));
            other.post_message(&text("")).unwrap();
        });
        let event: MessageEvent = answer.await.unwrap().unchecked_into();
        let theirs = event.data().as_f64().unwrap();
        let answered = now_ms();
        assert!(asked - ROUNDING_MS <= theirs, "{theirs} was answered before it was asked at {asked}");
        assert!(theirs <= answered + ROUNDING_MS, "{theirs} came back before it was answered, at {answered}");
    }
    other.terminate();
    Url::revoke_object_url(&address).unwrap();
}

#[wasm_bindgen_test]
fn the_clock_takes_small_steps() {
    let tick = tick_ms();
    assert!(tick > 0.0 && tick <= 2.0, "{tick} ms");
}

#[wasm_bindgen_test]
fn progress_is_paced() {
    let mut pace = Pace::default();
    let due: Vec<_> = [1e12, 1e12 + 50.0, 1e12 + 99.0, 1e12 + 100.0].map(|at| pace.due(at)).into();
    assert_eq!(due, [true, false, false, true]);
}
