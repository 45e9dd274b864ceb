//! The byte alphabet of byte-level BPE (GPT-2's `bytes_to_unicode`): printable bytes of Latin-1 stand for
//! themselves, the other 68 for the characters from U+0100 on, in order.

/// Bytes that a token's spelling stands for. A character outside the alphabet stands for its own UTF-8.
pub(super) fn from_text(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for character in text.chars() {
        match byte(character) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

fn byte(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => Some(code as u8),
        // 0x00–0x20, 0x7f–0xa0 and 0xad, in this order.
        code @ 0x100..=0x120 => Some((code - 0x100) as u8),
        code @ 0x121..=0x142 => Some((code - 0x121 + 0x7f) as u8),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// How a vocabulary spells these bytes.
#[cfg(test)]
pub(crate) fn spell(bytes: &[u8]) -> String {
    let spelling = |wanted: u8| (0x21..0x144).filter_map(char::from_u32).find(|c| byte(*c) == Some(wanted));
    bytes.iter().filter_map(|byte| spelling(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_exactly_one_character() {
        let mut bytes: Vec<u8> = (0..0x200).filter_map(char::from_u32).filter_map(byte).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn the_familiar_spellings_decode() {
        assert_eq!(from_text("ĠthereĊ"), b" there\n");
        assert_eq!(from_text("ðŁĺĢ"), "😀".as_bytes());
    }
}
