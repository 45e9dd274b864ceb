//! Small integers in a block's bytes.

/// Nibble `index` (0..32) of 16 bytes: the low ones first.
#[inline]
pub(super) fn nibble(bytes: &[u8], index: usize) -> u8 {
    if index < 16 { bytes[index] & 0x0f } else { bytes[index - 16] >> 4 }
}

/// Bit `index` of `bytes`, the lowest of each first.
#[inline]
pub(super) fn bit(bytes: &[u8], index: usize) -> u8 {
    bytes[index / 8] >> (index % 8) & 1
}

/// Two bits `index` (0..256) of the 64 bytes of Q2_K and Q3_K: of every 128, those of 32 lie in bits 0–1 of 32
/// bytes, the next ones in bits 2–3, and so on.
#[inline]
pub(super) fn two_bits(bytes: &[u8], index: usize) -> u8 {
    bytes[index / 128 * 32 + index % 32] >> (index % 128 / 32 * 2) & 3
}

/// Scale and minimum `step` (0..8) of the twelve bytes of Q4_K and Q5_K, six bits each. The first four of either lie in
/// the lower six bits of bytes 0–3 and 4–7; of the others, four bits lie in bytes 8–11 and two atop the first ones.
#[inline]
pub(super) fn scale_and_minimum(bytes: &[u8], step: usize) -> (u8, u8) {
    if step < 4 {
        return (bytes[step] & 63, bytes[step + 4] & 63);
    }
    let low = bytes[step + 4];
    ((low & 0x0f) | (bytes[step - 4] >> 6 << 4), (low >> 4) | (bytes[step] >> 6 << 4))
}
