use js_sys::{Array, Atomics, Int32Array};
use protocol::{
    ADDRESSABLE, FailureKind, FromWorker, Generate, Load, Message, Needs, Operation, Precision, Preference,
    Role, Sampling, Source, ToWorker, Token,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{file, text};
use crate::defects;
use crate::errors::Error;
use crate::heap;
use crate::messages::{Doorbell, encode, parse};
use crate::tasks::fitted;

fn generate() -> ToWorker {
    ToWorker::Generate(Generate {
        id: 7,
        messages: vec![Message { role: Role::User, content: "naïve 🦀 \u{0} \"<|im_end|>\"".into() }],
        sampling: Sampling {
            temperature: 0.7,
            top_k: 40,
            top_p: 0.9,
            min_p: 0.05,
            repetition_penalty: 1.1,
            // Beyond what a JavaScript number can hold exactly.
            seed: u64::MAX,
        },
        thinking: Some(false),
        max_tokens: 64,
        stop: vec!["\n".into()],
        asked_ms: 1.5e12,
    })
}

#[wasm_bindgen_test]
fn every_request_survives_the_way_in() {
    let delete = ToWorker::DeleteModel { id: "m.gguf.0123456789abcdef".into() };
    for message in [generate(), ToWorker::Abort, ToWorker::ForgetModels, ToWorker::ListModels, delete] {
        let json = serde_json::to_string(&message).unwrap();
        let incoming = parse(&Array::of1(&text(&json))).unwrap();
        assert_eq!(incoming.message, message);
        assert!(incoming.files.is_empty());
    }
}

#[wasm_bindgen_test]
fn a_file_travels_beside_the_text() {
    let load = ToWorker::Load(Load {
        source: Source::File { file: "m.gguf".into(), keep: true },
        context: 512,
        backend: Preference::Automatic,
        variant: None,
        threads: 0,
        reading: Precision::Fourteen,
        remember: true,
    });
    let json = serde_json::to_string(&load).unwrap();
    let incoming = parse(&Array::of2(&text(&json), &file(b"GGUF", "m.gguf"))).unwrap();
    assert_eq!(incoming.message, load);
    assert_eq!(incoming.files[0].size(), 4.0);
}

#[wasm_bindgen_test]
fn an_answer_survives_the_way_out() {
    let token = FromWorker::Token(Token { id: 7, index: 0, token: 1, text: "é\u{2028}".into(), at_ms: 1.0 });
    let json = encode(&token).unwrap().as_string().unwrap();
    let back: FromWorker = serde_json::from_str(&json).unwrap();
    assert_eq!(back, token);
}

#[wasm_bindgen_test]
fn anything_else_is_refused_with_its_cause() {
    let deep = "[".repeat(100_000);
    let cases: Vec<(JsValue, &str)> = vec![
        (JsValue::NULL, "not an array"),
        (text("\"Abort\""), "not an array"),
        (Array::new().into(), "0 elements"),
        (Array::of3(&text("\"Abort\""), &text(""), &text("")).into(), "not a file"),
        (Array::of1(&JsValue::from_f64(1.0)).into(), "not a text"),
        (Array::of1(&text("")).into(), "not a request"),
        (Array::of1(&text("{\"Explode\":{}}")).into(), "Explode"),
        (Array::of1(&text("{\"Load\":{\"context\":-1}}")).into(), "not a request"),
        (Array::of1(&text(&deep)).into(), "not a request"),
        (Array::of2(&text("\"Abort\""), &text("no file")).into(), "not a file"),
    ];
    for (data, want) in cases {
        let error = parse(&data).unwrap_err();
        let failure = error.failure(Operation::Message, None);
        assert_eq!(failure.operation, Operation::Message);
        assert!(failure.message.contains(want), "{want:?} is not in {:?}", failure.message);
    }
}

#[wasm_bindgen_test]
fn errors_keep_their_kind_and_name_the_file() {
    let bad = engine::Error::BadFile { file: "m.gguf".into(), cause: "it is empty".into() };
    let failure = Error::from(bad).failure(Operation::Load, None);
    assert_eq!(failure.kind, FailureKind::BadModel);
    assert!(failure.message.starts_with("m.gguf: "), "{}", failure.message);
    let prompt = engine::Error::BadPrompt { cause: "it is empty".into() };
    assert_eq!(Error::from(prompt).kind(), FailureKind::BadPrompt);
    // The page starts a fresh engine on this kind alone, and this one's threads are gone.
    let threads = engine::Error::Threads { threads: 2 };
    assert_eq!(Error::from(threads).kind(), FailureKind::Internal);
    assert_eq!(Error::Aborted.kind(), FailureKind::Aborted);
    assert_eq!(Error::Busy.kind(), FailureKind::Busy);
}

#[wasm_bindgen_test]
fn a_context_is_lowered_or_the_model_refused_before_anything_is_allocated() {
    let needs =
        |weights, kv_bytes_per_token| Needs { weights, kv_bytes_per_token, context: 2_048, work: None };
    let fitted = |needs| fitted("large.gguf", needs, 2_048, ADDRESSABLE, false);
    assert_eq!(fitted(needs(98_362_432, 23_040)).unwrap(), (2_048, None));
    let (context, lowered) = fitted(needs(1 << 30, 3 << 20)).unwrap();
    let lowered = lowered.unwrap();
    assert!((512..2_048).contains(&context), "{context}");
    assert!(lowered.need > lowered.limit && (lowered.asked, lowered.limit) == (2_048, ADDRESSABLE));
    for (weights, cache) in [(4 << 30, 0), (1 << 30, 30 << 20), (u64::MAX, u64::MAX)] {
        let error = fitted(needs(weights, cache)).unwrap_err();
        assert_eq!(error.kind(), FailureKind::Memory);
        let said = error.to_string();
        assert!(said.starts_with("large.gguf: needs about") && said.contains("there are 4294 MB"), "{said}");
    }
}

/// More than a 32-bit module can address is never to be had, and nothing stays taken.
#[wasm_bindgen_test]
fn room_is_what_can_really_be_had() {
    assert_eq!(heap::room(0), 0);
    assert_eq!(heap::room(100_000_000), 100_000_000);
    let most = heap::room(2 * ADDRESSABLE);
    assert!((100_000_000..ADDRESSABLE).contains(&most), "{most}");
    assert_eq!(heap::room(100_000_000), 100_000_000);
}

#[wasm_bindgen_test]
fn a_defect_says_what_ran_and_whether_memory_was_the_cause() {
    defects::now_running((Operation::Generate, Some(9)));
    let defect = defects::failure("index out of bounds", None);
    assert_eq!((defect.operation, defect.id), (Operation::Generate, Some(9)));
    assert!(defect.message.contains("index out of bounds"), "{}", defect.message);
    let memory = defects::failure("unreachable", Some(1 << 30));
    // The instance is over in both cases, and the page starts another on `Internal` alone.
    assert_eq!((defect.kind, memory.kind), (FailureKind::Internal, FailureKind::Internal));
    assert!(memory.message.contains("out of memory, 1073741824 bytes"), "{}", memory.message);
}

#[wasm_bindgen_test]
fn an_allocation_that_is_refused_is_remembered() {
    assert_eq!(heap::refused(), None);
    // Half of what can be addressed is to be had once, never twice. Black boxes, since an allocation that
    // nobody looks at is optimised away.
    let half = std::hint::black_box(isize::MAX as usize);
    let mut buffers = std::hint::black_box([const { Vec::<u8>::new() }; 2]);
    let had = buffers.each_mut().map(|buffer| buffer.try_reserve_exact(half).is_ok());
    assert!(had.contains(&false) && !std::hint::black_box(&buffers).is_empty());
    assert_eq!(heap::refused(), Some(half));
}

#[wasm_bindgen_test]
fn the_doorbell_says_whether_a_message_waits() {
    let counter = Int32Array::new_with_length(1);
    let doorbell = Doorbell::new(counter.clone());
    assert!(!doorbell.message_waits());
    for rings in 1..=2 {
        Atomics::add(&counter, 0, 1).unwrap();
        assert!(doorbell.message_waits(), "ring {rings}");
    }
    doorbell.message_arrived();
    assert!(doorbell.message_waits(), "the second message is on its way");
    doorbell.message_arrived();
    assert!(!doorbell.message_waits());
    // A message that came without a ring does not stand for the next one.
    doorbell.message_arrived();
    Atomics::add(&counter, 0, 1).unwrap();
    assert!(doorbell.message_waits());
}
