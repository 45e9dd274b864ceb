//! The byte alphabet of byte-level BPE (GPT-2's `bytes_to_unicode`): printable bytes of Latin-1 stand for
//! themselves, the other 68 for the characters from U+0100 on, in order.

/// The byte that `character` stands for; `None` outside the alphabet.
pub(super) fn byte(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => Some(code as u8),
        // 0x00–0x20, 0x7f–0xa0 and 0xad, in this order.
        code @ 0x100..=0x120 => Some((code - 0x100) as u8),
        code @ 0x121..=0x142 => Some((code - 0x121 + 0x7f) as u8),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// The character that stands for `byte`.
pub(super) fn character(byte: u8) -> char {
    match byte {
        0x00..=0x20 => char::from_u32(0x100 + u32::from(byte)).unwrap_or_default(),
        0x7f..=0xa0 => char::from_u32(0x121 - 0x7f + u32::from(byte)).unwrap_or_default(),
        0xad => '\u{143}',
        printable => char::from(printable),
    }
}

/// How a vocabulary spells these bytes.
pub(crate) fn spell(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| character(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_exactly_one_character() {
        let mut bytes: Vec<u8> = (0..0x200).filter_map(char::from_u32).filter_map(byte).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        assert!((0..=255).all(|b| byte(character(b)) == Some(b)));
    }

    #[test]
    fn the_familiar_spellings_are_these() {
        assert_eq!(spell(b" there\n"), "ĠthereĊ");
        assert_eq!(spell("😀".as_bytes()), "ðŁĺĢ");
    }
}
