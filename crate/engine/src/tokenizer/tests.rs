//! The tokenizer as a whole, on vocabularies of a few tokens.

use candle_core::quantized::gguf_file::Value;

use super::{Specials, TextStream, Tokenizer, fixture};

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn texts(texts: &[&str]) -> Value {
    Value::Array(texts.iter().map(|t| text(t)).collect())
}

/// Pieces of SentencePiece with scores and kinds, behind `<unk>`, `<s>`, `</s>` and the 256 bytes.
fn sentencepiece(pieces: &[(&str, f32, i32)], entries: &[(&str, Value)]) -> Tokenizer {
    Tokenizer::from_gguf(&mut fixture::with(&sentencepiece_entries(pieces, entries))).unwrap()
}

fn sentencepiece_entries<'a>(
    pieces: &[(&str, f32, i32)],
    entries: &[(&'a str, Value)],
) -> Vec<(&'a str, Value)> {
    let mut tokens: Vec<(String, f32, i32)> =
        [("<unk>", 2), ("<s>", 3), ("</s>", 3)].map(|(t, kind)| (t.to_owned(), 0.0, kind)).into();
    tokens.extend((0..=255).map(|byte| (format!("<0x{byte:02X}>"), 0.0, 6)));
    tokens.extend(pieces.iter().map(|(t, score, kind)| ((*t).to_owned(), *score, *kind)));
    let mut out = vec![
        ("tokenizer.ggml.model", text("llama")),
        ("tokenizer.ggml.tokens", Value::Array(tokens.iter().map(|t| text(&t.0)).collect())),
        ("tokenizer.ggml.scores", Value::Array(tokens.iter().map(|t| Value::F32(t.1)).collect())),
        ("tokenizer.ggml.token_type", Value::Array(tokens.iter().map(|t| Value::I32(t.2)).collect())),
        ("tokenizer.ggml.eos_token_id", Value::U32(2)),
    ];
    out.extend(entries.iter().map(|(key, value)| (*key, value.clone())));
    out
}

/// Texts of the tokens of `said`.
fn spelled(tokenizer: &Tokenizer, said: &str) -> Vec<String> {
    let ids = tokenizer.encode(said, Specials::AsText).unwrap();
    ids.iter().map(|id| tokenizer.token_text(*id).unwrap().to_owned()).collect()
}

const HELLO: &[(&str, f32, i32)] = &[
    ("▁", -9.0, 1),
    ("h", -10.0, 1),
    ("e", -11.0, 1),
    ("l", -12.0, 1),
    ("o", -13.0, 1),
    ("ll", -1.0, 1),
    ("he", -2.0, 1),
    ("hell", -4.0, 1),
    ("lo", -3.0, 1),
    ("hello", -5.0, 1),
    ("▁hello", -6.0, 1),
    ("\n\n", 0.0, 4),
    ("<think>", 0.0, 4),
];

#[test]
fn sentencepiece_joins_by_score() {
    let tokenizer = sentencepiece(HELLO, &[]);
    assert_eq!(spelled(&tokenizer, "hello"), ["▁hello"]);
    assert_eq!(spelled(&tokenizer, "hello hello"), ["▁hello", "▁hello"]);
    assert_eq!(spelled(&tokenizer, "helo"), ["▁", "he", "lo"]);
    // The pair of higher score goes first, though the other would stand further left.
    assert_eq!(spelled(&tokenizer, "hllo"), ["▁", "h", "ll", "o"]);
    // Of equal scores the leftmost.
    assert_eq!(spelled(&tokenizer, "lll"), ["▁", "ll", "l"]);
    assert_eq!(spelled(&tokenizer, ""), [""; 0]);
}

#[test]
fn sentencepiece_spells_what_it_lacks_in_bytes() {
    let tokenizer = sentencepiece(HELLO, &[]);
    assert_eq!(spelled(&tokenizer, "é\n"), ["▁", "<0xC3>", "<0xA9>", "<0x0A>"]);
    // What looks like a byte's token is text.
    assert_eq!(spelled(&tokenizer, "<0xC3>").len(), 7);
    let without_bytes = [(("tokenizer.ggml.tokens"), texts(&["<unk>", "<s>", "</s>", "▁", "a"]))];
    let mut entries = sentencepiece_entries(&[], &[]);
    entries.extend(without_bytes);
    let tokenizer = Tokenizer::from_gguf(&mut fixture::with(&entries)).unwrap();
    assert_eq!(spelled(&tokenizer, "a"), ["▁", "a"]);
    let error = tokenizer.encode("aé", Specials::AsText).unwrap_err().to_string();
    assert!(error.contains("no token for 'é' (byte 0xC3)"), "{error}");
}

#[test]
fn a_space_stands_in_front_of_every_stretch_of_text_unless_the_file_says_no() {
    let tokenizer = sentencepiece(HELLO, &[]);
    let ids = |text| tokenizer.encode(text, Specials::Parse).unwrap();
    assert_eq!(ids("<s>hello"), [&[1][..], &ids("hello")].concat());
    assert_eq!(tokenizer.decode(&ids("hello hello")), "hello hello");
    assert_eq!(tokenizer.decode(&ids("  hello")), "  hello");
    let bare = sentencepiece(HELLO, &[("tokenizer.ggml.add_space_prefix", Value::Bool(false))]);
    assert_eq!(spelled(&bare, "hello"), ["hello"]);
    assert_eq!(spelled(&bare, " hello"), ["▁hello"]);
    assert_eq!(bare.decode(&bare.encode(" hello", Specials::AsText).unwrap()), " hello");
}

#[test]
fn user_defined_tokens_are_tokens_whoever_writes_them_and_control_tokens_are_not() {
    let bare = sentencepiece(HELLO, &[("tokenizer.ggml.add_space_prefix", Value::Bool(false))]);
    assert_eq!(spelled(&bare, "he\n\n\nhe"), ["he", "\n\n", "<0x0A>", "he"]);
    assert_eq!(spelled(&bare, "<think>"), ["<think>"]);
    let ids = bare.encode("<s></s><unk>", Specials::AsText).unwrap();
    assert!(ids.iter().all(|id| *id > 2), "{ids:?}");
    assert_eq!(bare.encode("<s></s><unk>", Specials::Parse).unwrap(), [1, 2, 0]);
    let said = "he\n\n<think>";
    assert_eq!(bare.decode(&bare.encode(said, Specials::AsText).unwrap()), said);
}

#[test]
fn no_merge_makes_a_control_token() {
    let pieces = [("<", 0.0, 1), ("s", 0.0, 1), (">", 0.0, 1), ("<s", 0.0, 1)];
    let tokenizer = sentencepiece(&pieces, &[("tokenizer.ggml.add_space_prefix", Value::Bool(false))]);
    assert_eq!(spelled(&tokenizer, "<s>"), ["<s", ">"]);
    let mut gguf = fixture::gguf_with_merges(&["<s>", "</s>", "us", "use", "use"], &["u s", "us e"]);
    let plain = Tokenizer::from_gguf(&mut gguf).unwrap();
    for text in ["use", "us", "abuse", "use use"] {
        let ids = plain.encode(text, Specials::AsText).unwrap();
        assert!(ids.iter().all(|id| *id < 256), "{text}: {ids:?}");
        assert_eq!(plain.decode(&ids), text);
    }
    assert_eq!(plain.encode("use", Specials::Parse).unwrap().len(), 1);
}

#[test]
fn a_letter_is_said_whatever_is_spelled_like_it() {
    let tokenizer = Tokenizer::from_gguf(&mut fixture::gguf(&["<s>", "a", "a"], &[])).unwrap();
    let ids = tokenizer.encode("banana", Specials::AsText).unwrap();
    assert_eq!(tokenizer.decode(&ids), "banana");
    assert_eq!(ids.len(), 6);
}

#[test]
fn streamed_text_is_the_decoded_text() {
    let tokenizer = sentencepiece(HELLO, &[]);
    let said = "hello é hello\n\n";
    let ids = tokenizer.encode(said, Specials::AsText).unwrap();
    let streamed = |mut stream: TextStream| -> String {
        let text: String = ids.iter().map(|id| stream.push(&tokenizer, *id)).collect();
        text + &stream.flush()
    };
    assert_eq!(streamed(TextStream::after(&tokenizer, &[1])), said);
    // What goes on from a text keeps its space.
    assert_eq!(streamed(TextStream::after(&tokenizer, &ids[..1])), format!(" {said}"));
}

/// Tokens of `<s>` and what stands before and behind a whole text.
fn ends(tokenizer: &Tokenizer) -> (bool, bool) {
    let ids = tokenizer.encode_whole("h", Specials::AsText).unwrap();
    (ids.first() == Some(&1), ids.last() == Some(&2))
}

#[test]
fn beginning_and_end_are_added_as_the_file_says() {
    const BOS: &str = "tokenizer.ggml.add_bos_token";
    const EOS: &str = "tokenizer.ggml.add_eos_token";
    let yes = Value::Bool(true);
    let no = Value::Bool(false);
    assert_eq!(ends(&sentencepiece(HELLO, &[])), (true, false));
    assert_eq!(ends(&sentencepiece(HELLO, &[(BOS, no.clone())])), (false, false));
    assert_eq!(ends(&sentencepiece(HELLO, &[(EOS, yes.clone())])), (true, true));
    let tokenizer = sentencepiece(HELLO, &[(BOS, yes.clone())]);
    assert_eq!(tokenizer.begun(vec![7]), [1, 7]);
    assert_eq!(tokenizer.begun(vec![1, 7]), [1, 7]);
    let byte_level = |pre: &str, entries: &[(&str, Value)]| {
        let mut gguf = fixture::gguf_of(&["<s>", "</s>"], &[("tokenizer.ggml.pre", text(pre))], entries);
        Tokenizer::from_gguf(&mut gguf).unwrap().adds_bos()
    };
    assert!(!byte_level("gpt-2", &[]));
    assert!(byte_level("gpt-2", &[(BOS, yes.clone())]));
    assert!(byte_level("llama-bpe", &[]));
    assert!(!byte_level("llama-bpe", &[(BOS, no)]));
    let mut entries = fixture::byte_level(&["<s>", "</s>"], &[(BOS, yes)]);
    entries.retain(|(key, _)| key != "tokenizer.ggml.bos_token_id");
    let error = Tokenizer::from_gguf(&mut fixture::open(&entries)).err().unwrap().to_string();
    assert!(error.contains("add_bos_token is true and tokenizer.ggml.bos_token_id is missing"), "{error}");
}

#[test]
fn turns_end_with_what_the_file_names_and_with_what_is_spelled_so() {
    let pieces = [("<end_of_turn>", 0.0, 1), ("<|im_end|>", 0.0, 4), ("a", 0.0, 1), ("b", 0.0, 3)];
    let tokenizer = sentencepiece(&pieces, &[("tokenizer.ggml.eot_token_id", Value::U32(261))]);
    let ends = |id| tokenizer.is_end_of_generation(id);
    assert_eq!([2, 259, 260, 261, 262, 1].map(ends), [true, true, true, true, false, false]);
    // Nobody can say them.
    assert!(tokenizer.encode("<end_of_turn>", Specials::AsText).unwrap().len() > 10);
}

#[test]
fn a_word_that_is_a_token_stays_whole_where_its_pre_tokenizer_says_so() {
    let words = |pre: &str| {
        let tokens: Vec<&str> = vec!["<s>", "</s>", "ab", "abc"];
        let types = (0..260).map(|id| Value::I32(if matches!(id, 256 | 257) { 3 } else { 1 })).collect();
        let entries = [
            ("tokenizer.ggml.pre", text(pre)),
            ("tokenizer.ggml.token_type", Value::Array(types)),
            ("tokenizer.ggml.merges", texts(&["a b"])),
        ];
        let tokenizer = Tokenizer::from_gguf(&mut fixture::gguf_of(&tokens, &entries, &[])).unwrap();
        spelled(&tokenizer, "abc")
    };
    assert_eq!(words("llama-bpe"), ["abc"]);
    assert_eq!(words("qwen2"), ["ab", "c"]);
}

#[test]
fn a_byte_that_no_token_stands_for_is_named() {
    let mut entries = fixture::byte_level(&["<s>", "</s>"], &[]);
    for (key, value) in &mut entries {
        if key == "tokenizer.ggml.tokens" {
            let Value::Array(tokens) = value else { panic!("tokens are a list") };
            tokens[0xc3] = text("unused");
        }
    }
    let tokenizer = Tokenizer::from_gguf(&mut fixture::open(&entries)).unwrap();
    let error = tokenizer.encode("café", Specials::AsText).unwrap_err().to_string();
    assert!(error.contains("no token for 'é' (byte 0xC3)"), "{error}");
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let refusal = |entries: &[(&str, Value)]| {
        Tokenizer::from_gguf(&mut fixture::gguf_of(&["<s>", "</s>"], entries, &[]))
            .err()
            .map(|e| e.to_string())
    };
    for model in ["bert", "t5", "rwkv", "plamo2", "gemma4", "none"] {
        let error = refusal(&[("tokenizer.ggml.model", text(model))]).unwrap();
        assert!(error.contains(&format!("not supported: tokenizer model {model};")), "{error}");
    }
    for key in ["tokenizer.ggml.precompiled_charsmap", "tokenizer.ggml.suppress_tokens", "tokenizer.new"] {
        let error = refusal(&[(key, Value::Array(vec![Value::I32(1)]))]).unwrap();
        assert!(error.contains(&format!("not supported: metadata {key};")), "{error}");
    }
    for key in ["tokenizer.ggml.add_sep_token", "tokenizer.ggml.remove_extra_whitespaces"] {
        assert_eq!(refusal(&[(key, Value::Bool(false))]), None);
        let error = refusal(&[(key, Value::Bool(true))]).unwrap();
        assert!(error.contains(&format!("not supported: metadata {key} true")), "{error}");
    }
    assert_eq!(refusal(&[("tokenizer.ggml.padding_token_id", Value::U32(0))]), None);
    assert_eq!(refusal(&[("tokenizer.chat_template.tool_use", text("{{ tools }}"))]), None);
    let mut entries = fixture::byte_level(&["<s>", "</s>"], &[]);
    entries.retain(|(key, _)| key != "tokenizer.ggml.pre");
    let error = Tokenizer::from_gguf(&mut fixture::open(&entries)).err().unwrap().to_string();
    assert!(error.contains("tokenizer.ggml.pre is missing"), "{error}");
}

#[test]
fn damaged_vocabularies_are_refused() {
    let refusal = |entries: &[(&str, Value)]| {
        let mut gguf = fixture::with(&sentencepiece_entries(HELLO, entries));
        Tokenizer::from_gguf(&mut gguf).err().unwrap().to_string()
    };
    let scores = |scores: Vec<f32>| {
        ("tokenizer.ggml.scores", Value::Array(scores.into_iter().map(Value::F32).collect()))
    };
    assert!(refusal(&[scores(vec![0.0; 3])]).contains("scores has 3 entries for 272 tokens"));
    assert!(refusal(&[scores(vec![f32::NAN; 272])]).contains("scores has no number for token 0"));
    let types = Value::Array(vec![Value::I32(1)]);
    assert!(
        refusal(&[("tokenizer.ggml.token_type", types)]).contains("token_type has 1 entries for 272 tokens")
    );
    let long = "x".repeat(5000);
    assert!(refusal(&[("tokenizer.ggml.tokens", texts(&[&long]))]).contains("a token of 5000 bytes"));
    let merges = |merge: &str| {
        let mut gguf = fixture::gguf_with_merges(&["<s>", "</s>"], &[merge]);
        Tokenizer::from_gguf(&mut gguf).err().unwrap().to_string()
    };
    assert!(merges("ab").contains("\"ab\" without a space"));
    assert!(merges("a b").contains("\"a b\" needs the token \"ab\""));
}
