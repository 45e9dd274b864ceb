//! Hostile and broken files: each is refused with a sentence that names the file and the cause.

use std::io::Cursor;

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;

use super::{Dtype, Gguf};
use crate::format::Format;
use crate::testing;

fn refusal(bytes: &[u8]) -> String {
    match Gguf::open("model.gguf", Cursor::new(bytes)) {
        Ok(_) => panic!("the file was accepted"),
        Err(error) => error.to_string(),
    }
}

fn load_refusal(bytes: Vec<u8>) -> String {
    match testing::load(bytes) {
        Ok(_) => panic!("the model was accepted"),
        Err(error) => error.to_string(),
    }
}

/// A header with these counts and body.
fn header(tensors: u64, keys: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend(tensors.to_le_bytes());
    bytes.extend(keys.to_le_bytes());
    bytes.extend(body);
    bytes
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// A directory entry.
fn tensor(name: &str, dimensions: &[u64], kind: u32) -> Vec<u8> {
    let mut bytes = string(name);
    bytes.extend((dimensions.len() as u32).to_le_bytes());
    dimensions.iter().for_each(|d| bytes.extend(d.to_le_bytes()));
    bytes.extend(kind.to_le_bytes());
    bytes.extend(0u64.to_le_bytes());
    bytes
}

fn key(name: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = string(name);
    bytes.extend(kind.to_le_bytes());
    bytes.extend(value);
    bytes
}

fn contains(message: &str, parts: &[&str]) {
    assert!(message.contains("gguf"), "the file is named: {message}");
    parts.iter().for_each(|part| assert!(message.contains(part), "{part:?} is not in: {message}"));
}

#[test]
fn a_sound_file_opens_with_its_directory() {
    let bytes = testing::file(GgmlDType::Q4_1);
    let mut gguf = Gguf::open("tiny.gguf", Cursor::new(&bytes)).unwrap();
    let tensor = gguf.tensor("blk.1.ffn_gate.weight").unwrap().clone();
    assert_eq!((tensor.shape.as_slice(), tensor.dtype), ([96, 64].as_slice(), Dtype::Known(Format::Q4_1)));
    let mut whole = Vec::new();
    let mut part = [0; 7];
    gguf.read("blk.1.ffn_gate.weight", &mut whole).unwrap();
    gguf.read_range("blk.1.ffn_gate.weight", 11, &mut part).unwrap();
    assert_eq!(whole.len() as u64, tensor.bytes);
    assert_eq!(part, whole[11..18]);
    assert!(gguf.read_range("blk.1.ffn_gate.weight", tensor.bytes - 3, &mut part).is_err());
}

#[test]
fn what_is_not_gguf_is_told_apart() {
    contains(&refusal(b""), &["the file is empty"]);
    contains(&refusal(b"\x89PNG\r\n\x1a\n........................"), &["PNG image", "choose a .gguf"]);
    contains(&refusal(b"GG"), &["ends inside its header"]);
    contains(&refusal(b"GGUF\x09\0\0\0........................"), &["version 9"]);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = testing::file(GgmlDType::Q4_1);
    for percent in [1, 50, 99] {
        contains(&refusal(&bytes[..bytes.len() * percent / 100]), &["fetch the file again"]);
    }
    // Every single cut, through the header and into the data.
    for len in (0..bytes.len()).step_by(61) {
        refusal(&bytes[..len]);
    }
}

#[test]
fn counts_and_lengths_are_bounded_before_anything_is_allocated() {
    contains(&refusal(&header(1 << 60, 0, &[0; 64])), &["tensor count of 1152921504606846976"]);
    contains(&refusal(&header(0, 1 << 60, &[0; 64])), &["metadata count"]);
    let long = key("a", 8, &(1u64 << 40).to_le_bytes());
    contains(&refusal(&header(0, 1, &long)), &["a claims a length of 1099511627776"]);
    let array = [9u32.to_le_bytes().as_slice(), &0u32.to_le_bytes(), &(1u64 << 40).to_le_bytes()].concat();
    let mut entry = string("list");
    entry.extend(array);
    contains(&refusal(&header(0, 1, &entry)), &["list claims 1099511627776 elements"]);
    contains(&refusal(&header(0, 1, &key("k", 77, &[0; 8]))), &["k has the unknown value type 77"]);
    contains(&refusal(&header(0, 1, &key("general.alignment", 4, &[0; 4]))), &["general.alignment is 0"]);
}

#[test]
fn nested_arrays_end() {
    let mut nested = string("deep");
    nested.extend(9u32.to_le_bytes());
    for _ in 0..100 {
        nested.extend(9u32.to_le_bytes());
        nested.extend(1u64.to_le_bytes());
    }
    contains(&refusal(&header(0, 1, &nested)), &["deep nests arrays"]);
}

/// An array's value: type and number of elements, then these bytes.
fn array(kind: u32, len: u64, elements: &[u8]) -> Vec<u8> {
    [kind.to_le_bytes().as_slice(), &len.to_le_bytes(), elements].concat()
}

fn open(bytes: Vec<u8>) -> Gguf<Cursor<Vec<u8>>> {
    Gguf::open("model.gguf", Cursor::new(bytes)).unwrap()
}

#[test]
fn lists_stay_in_the_file_until_they_are_read() {
    let mut gguf = open(testing::file(GgmlDType::Q4_1));
    assert_eq!(gguf.metadata().len("tokenizer.ggml.tokens").unwrap(), testing::VOCABULARY);
    let tokens = gguf.texts("tokenizer.ggml.tokens").unwrap();
    assert_eq!((tokens.len(), tokens.iter().count()), (testing::VOCABULARY, testing::VOCABULARY));
    assert_eq!((tokens.get(65), tokens.get(257), tokens.get(258)), (Some("A"), Some("<|im_end|>"), None));
    let types = gguf.opt_integers("tokenizer.ggml.token_type").unwrap().unwrap();
    assert_eq!((types.len(), types[255], types[256]), (testing::VOCABULARY, 1, 3));
    assert!(gguf.texts("tokenizer.ggml.merges").unwrap().is_empty());
    assert_eq!(gguf.opt_integers("no.such.key").unwrap(), None);
    // Between them, what is no list is as it was.
    assert_eq!(gguf.metadata().str("general.name").unwrap(), "tiny");
}

#[test]
fn lists_of_another_type_are_named() {
    let mut gguf = open(testing::file(GgmlDType::Q4_1));
    let says = |error: Option<crate::Error>, parts: &[&str]| contains(&error.unwrap().to_string(), parts);
    says(gguf.texts("tokenizer.ggml.token_type").err(), &["should be a list of texts and is a list of 258"]);
    says(gguf.texts("general.name").err(), &["general.name should be a list of texts and is String"]);
    says(gguf.texts("no.such.key").err(), &["metadata key no.such.key is missing"]);
    says(gguf.opt_integers("tokenizer.ggml.tokens").err(), &["should be a list of whole numbers"]);
    says(gguf.metadata().str("tokenizer.ggml.tokens").err(), &["should be a text and is a list of 258"]);
}

#[test]
fn every_width_of_whole_numbers_is_read() {
    for (kind, width) in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 4), (5, 4), (10, 8), (11, 8)] {
        let mut elements = vec![0; width * 2];
        (elements[0], elements[width]) = (7, 99);
        let mut gguf = open(header(0, 1, &key("k", 9, &array(kind, 2, &elements))));
        assert_eq!(gguf.opt_integers("k").unwrap(), Some(vec![7, 99]), "type {kind}");
    }
}

#[test]
fn broken_texts_are_mended() {
    let mut elements = string("ended\0");
    elements.extend([2, 0, 0, 0, 0, 0, 0, 0, b'a', 0xff]);
    let mut gguf = open(header(0, 1, &key("k", 9, &array(8, 2, &elements))));
    assert_eq!(gguf.texts("k").unwrap().iter().collect::<Vec<_>>(), ["ended", "a\u{fffd}"]);
}

#[test]
fn a_file_that_changed_after_it_was_opened_is_refused() {
    let mut gguf = open(header(0, 1, &key("k", 9, &array(8, 1, &string("text")))));
    let at = gguf.reader.get_ref().len() - 12;
    gguf.reader.get_mut()[at..][..8].fill(0xff);
    contains(&gguf.texts("k").unwrap_err().to_string(), &["metadata k is not what it was"]);
    gguf.reader.get_mut().truncate(at);
    contains(&gguf.texts("k").unwrap_err().to_string(), &["reading metadata k failed"]);
}

#[test]
fn data_begin_where_the_files_alignment_says() {
    let mut body = key("list", 9, &array(8, 1, &string("text")));
    body.extend(key("general.alignment", 4, &256u32.to_le_bytes()));
    body.extend(tensor("w", &[2], 0));
    let mut bytes = header(1, 2, &body);
    bytes.resize(256, 0xee);
    bytes.extend([1.5f32.to_le_bytes(), (-2.0f32).to_le_bytes()].concat());
    let mut gguf = open(bytes);
    let mut data = Vec::new();
    gguf.read("w", &mut data).unwrap();
    assert_eq!(
        (gguf.tensors()[0].offset, data),
        (256, [1.5f32.to_le_bytes(), (-2.0f32).to_le_bytes()].concat())
    );
    // A list is no alignment.
    let list = key("general.alignment", 9, &array(4, 1, &64u32.to_le_bytes()));
    contains(&refusal(&header(0, 1, &list)), &["general.alignment is 0"]);
}

#[test]
fn dimensions_and_types_are_checked_by_name() {
    let refused = |dimensions: &[u64], kind| {
        let mut bytes = header(1, 0, &tensor("w", dimensions, kind));
        bytes.extend([0; 256]);
        refusal(&bytes)
    };
    contains(&refused(&[u64::MAX], 0), &["tensor w has a dimension of -1"]);
    contains(&refused(&[1 << 40, 1 << 40], 0), &["tensor w has a dimension of 1099511627776"]);
    contains(&refused(&[0, 4], 0), &["tensor w has a dimension of 0"]);
    contains(&refused(&[], 0), &["tensor w has 0 dimensions"]);
    contains(&refused(&[1, 1, 1, 1, 1], 0), &["tensor w has 5 dimensions"]);
    contains(&refused(&[32], 999), &["tensor w has the type number 999"]);
    contains(&refused(&[33], 3), &["tensor w has rows of 33"]);
    contains(&refused(&[1024], 0), &["cut short", "tensor w needs 4096 bytes"]);
}

#[test]
fn tensors_may_not_overlap() {
    let mut body = tensor("a", &[8], 0);
    body.extend(tensor("b", &[8], 0));
    let mut bytes = header(2, 0, &body);
    bytes.extend([0; 256]);
    contains(&refusal(&bytes), &["overlap"]);
    let twice = header(2, 0, &[tensor("a", &[8], 0), tensor("a", &[8], 0)].concat());
    contains(&refusal(&twice), &["tensor a is there twice"]);
}

#[test]
fn every_missing_key_is_named() {
    let metadata = testing::metadata();
    let tensors = testing::tensors(GgmlDType::Q8_0);
    let optional = ["general.name", "pre", "dimension_count", "token_type", "eos_token_id", "chat_template"];
    for index in 0..metadata.len() {
        let mut without = testing::metadata();
        let (key, _) = without.remove(index);
        let loaded = testing::load(testing::write(&without, &tensors));
        match loaded {
            Ok(_) => assert!(optional.iter().any(|o| key.ends_with(o)), "{key} is not needed?"),
            // Without it, every query head is taken to have its own keys.
            Err(error) if key.ends_with("head_count_kv") => {
                contains(&error.to_string(), &["attn_k.weight has shape"])
            }
            Err(error) => contains(&error.to_string(), &[&format!("metadata key {key} is missing")]),
        }
    }
}

#[test]
fn keys_of_the_wrong_type_or_size_are_named() {
    let tensors = testing::tensors(GgmlDType::Q8_0);
    let with = |key: &str, value: Value| {
        let mut metadata = testing::metadata();
        metadata.iter_mut().filter(|(k, _)| k == key).for_each(|(_, v)| *v = value.clone());
        load_refusal(testing::write(&metadata, &tensors))
    };
    contains(
        &with("llama.block_count", Value::String("two".into())),
        &["llama.block_count should be a whole number"],
    );
    contains(&with("llama.block_count", Value::U32(0)), &["llama.block_count is 0"]);
    contains(
        &with("llama.embedding_length", Value::I32(-64)),
        &["llama.embedding_length should be a whole number"],
    );
    contains(
        &with("llama.embedding_length", Value::U32(96)),
        &["tensor token_embd.weight has shape [258, 64]"],
    );
    contains(&with("llama.block_count", Value::U32(3)), &["tensor blk.2.attn_q.weight is missing"]);
    contains(
        &with("general.architecture", Value::String("mamba".into())),
        &["architecture mamba; supported are llama"],
    );
    contains(&with("tokenizer.ggml.model", Value::String("bert".into())), &["tokenizer model bert"]);
    contains(&with("tokenizer.ggml.eos_token_id", Value::U32(9999)), &["eos_token_id is 9999, outside"]);
    contains(
        &with("tokenizer.chat_template", Value::String("{% if".into())),
        &["chat template does not parse"],
    );
}

#[test]
fn a_type_without_kernels_is_named_with_its_tensor() {
    let mut bytes = testing::file(GgmlDType::Q4_0);
    let name = b"blk.0.attn_v.weight";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len();
    // After the rank and two dimensions; IQ4_NL has the size of Q4_0; the tensor of one of MXFP4 ends before the next.
    let kind = at + 4 + 16;
    assert_eq!(bytes[kind], 2);
    bytes[kind] = 20;
    let listed = open(bytes.clone());
    assert_eq!(listed.tensor("blk.0.attn_v.weight").unwrap().dtype, Dtype::Known(Format::IQ4_NL));
    bytes[kind] = 39;
    let message = load_refusal(bytes.clone());
    contains(&message, &["tensor blk.0.attn_v.weight has type MXFP4", "supported are Q4_0"]);
    bytes[kind] = 16;
    contains(&load_refusal(bytes), &["tensor blk.0.attn_v.weight has rows of 64"]);
}
