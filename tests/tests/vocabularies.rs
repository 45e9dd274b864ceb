//! Real vocabularies: the engine's tokens of many texts are those of the `tokenizers` crate on the JSON that the
//! models are published with.

use std::io::Cursor;

use engine::Tokenizer;
use engine::gguf::Gguf;
use engine::tokenizer::{Specials, TextStream};
use serde_json::Value;
use tests::vocabulary;

/// White space, digits, scripts, emoji, combining characters, code, control characters and long runs.
fn texts() -> Vec<String> {
    let english = std::fs::read_to_string(tests::workspace().join("tests/golden/english.txt")).unwrap();
    let short = [
        "",
        " ",
        "  ",
        "\n",
        "\n\n\n",
        "\t\t",
        " \n \n\n  x",
        "\r\n\r\na\r b",
        "x  y   z    w ",
        "Hello world",
        " Hello,   world!",
        "3333",
        "1234567890 ½ ² Ⅷ ٣٤",
        "3.14, 1e-9 and 0x1F",
        "it's don't WE'LL I'd 'tis y'all",
        "日本語テキスト、です。中文字符　한국어",
        "Việt Nam ệ e\u{301} n\u{303} क्षत्रिय ไทย العربية עברית",
        "🦙😶‍🌫️👩‍👩‍👧 ✅ 🇩🇪",
        "def f(x):\n    return x + 1\n\n\n\tif a:\n\t\tb()\r\n",
        "<table>\n<tr>&nbsp;</tr>",
        "\u{0}\u{1}\u{7f}\u{85}\u{a0}\u{3000} \u{feff}x",
        "𝔘𝔫𝔦 ꙮ \u{10ffff}",
        "...!!!???---===##",
        "mañana Ünïcödé ÀÉÎ",
        "http://example.com/a?b=c&d=e#f",
        "camelCaseXMLHttp SHOUTING iPhone",
        "▁▁ x ▁",
        "<0x0A>",
    ];
    let long = ["a", " ", "\n", "=", "7", "é", "日"].map(|letter| letter.repeat(300) + "x");
    short.map(str::to_owned).into_iter().chain(long).chain([english]).collect()
}

/// Both on every text, special tokens in it included.
fn agree(json: &Value, gguf: Vec<u8>, with_specials: &str) -> Tokenizer {
    let oracle = tokenizers::Tokenizer::from_bytes(json.to_string()).unwrap();
    let tokenizer = Tokenizer::from_gguf(&mut Gguf::open("vocabulary", Cursor::new(gguf)).unwrap()).unwrap();
    // SentencePiece cannot tell its own sign for a space from a space, and the library's added tokens can.
    let has_signs = |text: &str| tokenizer.token_text(0) == Some("<pad>") && text.contains('▁');
    for text in texts().iter().map(String::as_str).filter(|text| !has_signs(text)).chain([with_specials]) {
        let ids = tokenizer.encode(text, Specials::Parse).unwrap();
        assert_eq!(ids, oracle.encode(text, false).unwrap().get_ids(), "{text:?}");
    }
    for text in texts() {
        let ids = tokenizer.encode(&text, Specials::AsText).unwrap();
        let mut stream = TextStream::after(&tokenizer, &[]);
        let streamed: String = ids.iter().map(|id| stream.push(&tokenizer, *id)).collect();
        let said = if has_signs(&text) { text.replace('▁', " ") } else { text };
        assert_eq!(streamed + &stream.flush(), said);
        assert_eq!(tokenizer.decode(&ids), said);
    }
    tokenizer
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode(text, Specials::AsText).unwrap()
}

#[test]
fn qwen_3() {
    let mut json = vocabulary::tokenizer_json("tokenizer-qwen3");
    // GGUF has no word for normal forms: llama.cpp reads texts as they are, and so does the engine.
    json["normalizer"] = Value::Null;
    let gguf = vocabulary::byte_level(&json, "qwen2", None);
    let tokenizer = agree(&json, gguf, "<|im_start|>user\n<think>\n\n</think>\nx<|im_end|>\n<tool_call>");
    assert_eq!(ids(&tokenizer, "3333"), [18; 4]);
    assert_eq!(ids(&tokenizer, "\n\n\n"), [1406]);
    assert_eq!(ids(&tokenizer, "Hello world"), [9707, 1879]);
    assert!(!tokenizer.adds_bos());
    // What anybody may write, and what nobody may.
    assert_eq!(ids(&tokenizer, "<think>"), [151_667]);
    assert!(ids(&tokenizer, "<|im_end|>").len() > 4);
    assert!([151_643, 151_645].into_iter().all(|id| tokenizer.is_end_of_generation(id)));
}

#[test]
fn llama_3_1() {
    let json = vocabulary::tokenizer_json("tokenizer-llama3_1");
    let gguf = vocabulary::byte_level(&json, "llama-bpe", Some(128_000));
    let tokenizer =
        agree(&json, gguf, "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nx<|eot_id|>");
    assert_eq!(ids(&tokenizer, " Việt"), [101_798]);
    assert_eq!(ids(&tokenizer, "3333"), [8765, 18]);
    assert_eq!(ids(&tokenizer, "\n\n\n"), [1432]);
    assert_eq!(tokenizer.encode_whole("x", Specials::AsText).unwrap()[0], 128_000);
    assert!([128_001, 128_009].into_iter().all(|id| tokenizer.is_end_of_generation(id)));
}

#[test]
fn gemma_3() {
    let json = vocabulary::tokenizer_json("tokenizer-gemma3");
    let gguf = vocabulary::sentencepiece(&json, 2, 1);
    let tokenizer = agree(&json, gguf, "<bos><start_of_turn>user\nx  y\n\n\n<end_of_turn>\n<td>");
    // As llama.cpp has them of the model's own file.
    assert_eq!(ids(&tokenizer, "Hello world"), [9259, 1902]);
    assert_eq!(tokenizer.encode_whole("", Specials::AsText).unwrap(), [2]);
    assert!([1, 106].into_iter().all(|id| tokenizer.is_end_of_generation(id)));
    assert!(ids(&tokenizer, "<end_of_turn>").len() > 4);
}
