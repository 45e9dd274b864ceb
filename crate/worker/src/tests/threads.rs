use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::text;
use crate::threads::{ThreadPool, most, outcome};

#[wasm_bindgen_test]
async fn a_build_without_shared_memory_computes_alone_whatever_is_asked() {
    assert_eq!(most(), 1);
    let threads = ThreadPool::default();
    for asked in [0, 1, 4] {
        let (pool, cause) = threads.of(asked).await;
        assert_eq!((pool.threads(), cause), (1, None));
    }
}

#[wasm_bindgen_test]
fn the_first_event_of_a_thread_says_how_its_start_went() {
    let event = |key: &str, value: &str| {
        let event = Object::new();
        Reflect::set(&event, &text(key), &text(value)).unwrap();
        JsValue::from(event)
    };
    assert_eq!(outcome(&event("data", "started")), Ok(()));
    assert_eq!(outcome(&event("data", "no memory")), Err("no memory".into()));
    assert_eq!(outcome(&event("message", "a syntax error")), Err("a syntax error".into()));
    assert!(outcome(&Object::new().into()).unwrap_err().contains("thread.js"));
    assert!(outcome(&JsValue::UNDEFINED).unwrap_err().contains("20 seconds"));
}
