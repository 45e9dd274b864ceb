//! Rows of random blocks, for tests.

use super::half::f32_to_f16;
use super::kind::Format;

/// Where the halves of a block lie.
pub(crate) fn halves(format: Format) -> &'static [usize] {
    match format {
        Format::Q4_0 | Format::Q5_0 | Format::Q8_0 | Format::IQ4_NL | Format::IQ4_XS => &[0],
        Format::Q4_1 | Format::Q5_1 | Format::Q4_K | Format::Q5_K => &[0, 2],
        Format::Q2_K => &[80, 82],
        Format::Q3_K => &[108],
        Format::Q6_K => &[208],
        Format::BF16 | Format::F16 | Format::F32 => &[],
    }
}

/// `rows` rows of `cols` weights: any bits, but sound scales, within ±`peak` and of any size down to nothing. Formats
/// without scales get weights within ±`peak`.
pub(crate) fn random_rows(format: Format, rows: usize, cols: usize, peak: f32, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut unit = {
        let mut next = next;
        move || next() as f32 / (1u64 << 30) as f32 - 1.0
    };
    let (width, bytes) = format.block();
    let count = rows * cols / width;
    match format {
        Format::F32 => (0..count).flat_map(|_| (unit() * peak).to_le_bytes()).collect(),
        Format::F16 => (0..count).flat_map(|_| f32_to_f16(unit() * peak).to_le_bytes()).collect(),
        Format::BF16 => {
            (0..count).flat_map(|_| ((unit() * peak).to_bits() >> 16).to_le_bytes()[..2].to_vec()).collect()
        }
        _ => {
            let mut raw: Vec<u8> = (0..count * bytes).map(|_| next() as u8).collect();
            for block in raw.chunks_exact_mut(bytes) {
                for &at in halves(format) {
                    let half = f32_to_f16(unit() * unit() * unit() * peak);
                    block[at..][..2].copy_from_slice(&half.to_le_bytes());
                }
            }
            raw
        }
    }
}
