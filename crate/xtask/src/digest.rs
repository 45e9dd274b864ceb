//! SHA-256 of files and of build inputs.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// SHA-256 of a file, lower-case hex.
pub fn file(path: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path).with_context(|| format!("could not open {}", path.display()))?;
    feed(&mut hasher, &mut file).with_context(|| format!("could not read {}", path.display()))?;
    Ok(hex(&hasher.finalize()))
}

/// SHA-256 of several texts, each with its length so that neighbours cannot run together.
pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    hex(&hasher.finalize())
}

fn feed(hasher: &mut Sha256, reader: &mut impl Read) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_digest_is_sha256() {
        let path = std::env::temp_dir().join(format!("nibble-digest-{}", std::process::id()));
        std::fs::write(&path, "abc").unwrap();
        let digest = super::file(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(digest.unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn neighbours_do_not_run_together() {
        assert_ne!(super::texts(["ab", "c"]), super::texts(["a", "bc"]));
    }
}
