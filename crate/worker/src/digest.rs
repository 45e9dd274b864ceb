//! SHA-256 in pieces, as lower-case hex.

use sha2::Digest as _;

/// Hash of the bytes seen so far.
#[derive(Clone, Default)]
pub(crate) struct Digest(sha2::Sha256);

impl Digest {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Hash of everything seen so far; more may follow.
    pub(crate) fn hex(&self) -> String {
        let bytes = self.0.clone().finalize();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a text is a SHA-256 as the catalogue writes it: 64 lower-case hex digits.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
