use std::io::{Read, Seek, SeekFrom};

use wasm_bindgen_test::wasm_bindgen_test;

use super::{blob, keep, open, pattern};
use crate::digest::{Digest, is_sha256};
use crate::download::{ModelReader, ModelSource};

/// Reads here and there, as the engine does: small steps forward, then jumps, then a long stretch.
fn check(mut reader: ModelReader, bytes: &[u8]) {
    let mut start = [0; 3];
    for step in 0..5 {
        reader.read_exact(&mut start).unwrap();
        assert_eq!(start, bytes[step * 3..step * 3 + 3]);
    }
    for offset in [200_001, 7, 99_999] {
        reader.seek(SeekFrom::Start(offset)).unwrap();
        let mut piece = vec![0; 100_000];
        reader.read_exact(&mut piece).unwrap();
        assert_eq!(piece, bytes[offset as usize..offset as usize + 100_000]);
    }
    assert_eq!(reader.seek(SeekFrom::End(-5)).unwrap(), bytes.len() as u64 - 5);
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, bytes[bytes.len() - 5..]);
    assert_eq!(reader.seek(SeekFrom::Start(1 << 60)).unwrap(), 1 << 60);
    assert_eq!(reader.read(&mut start).unwrap(), 0);
    assert!(reader.seek(SeekFrom::Current(i64::MIN)).is_err());
}

#[wasm_bindgen_test]
async fn a_stored_file_reads_like_any_other() {
    let bytes = pattern(400_000);
    keep("readers.gguf", &bytes).await;
    check(ModelSource::Stored(open("readers.gguf").await).into_reader().unwrap(), &bytes);
}

#[wasm_bindgen_test]
fn a_picked_file_reads_like_any_other() {
    let bytes = pattern(400_000);
    check(ModelSource::Blob(blob(&bytes)).into_reader().unwrap(), &bytes);
}

#[wasm_bindgen_test]
fn an_empty_file_ends_at_once() {
    let mut reader = ModelSource::Blob(blob(b"")).into_reader().unwrap();
    assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0);
}

#[wasm_bindgen_test]
fn hashes_are_those_of_the_standard() {
    // FIPS 180-4's own examples, and a million times the letter a in uneven pieces.
    let hash = |pieces: &[&[u8]]| {
        let mut digest = Digest::default();
        pieces.iter().for_each(|piece| digest.update(piece));
        digest.hex()
    };
    assert_eq!(hash(&[]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(hash(&[b"a", b"bc"]), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let million = vec![b'a'; 1_000_000];
    let pieces: Vec<_> = million.chunks(777).collect();
    assert_eq!(hash(&pieces), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

#[wasm_bindgen_test]
fn only_a_lower_case_hash_is_one() {
    let good = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
    assert!(is_sha256(good));
    for bad in [&good[1..], &good.to_uppercase(), &good.replace('b', "g"), ""] {
        assert!(!is_sha256(bad), "{bad}");
    }
}
