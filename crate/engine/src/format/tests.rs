//! Every format against candle-core's, or against answers worked out by hand; tiles and planes against the blocks.

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::ggml_file::qtensor_from_ggml;

use super::fixture::random_rows;
use super::kind::by_format;
use super::*;

const COLS: usize = 512;

fn rows_of(format: Format) -> Vec<u8> {
    random_rows(format, 8, COLS, 0.1, 7)
}

fn decoded<B: Block>(raw: &[u8]) -> Vec<f32> {
    let mut out = vec![0.0; raw.len() / B::BYTES * B::WIDTH];
    for (block, out) in raw.chunks_exact(B::BYTES).zip(out.chunks_exact_mut(B::WIDTH)) {
        B::decode(block, out);
    }
    out
}

#[test]
fn blocks_decode_as_candle_decodes_them() {
    let types = [
        (Format::Q4_0, GgmlDType::Q4_0),
        (Format::Q4_1, GgmlDType::Q4_1),
        (Format::Q5_0, GgmlDType::Q5_0),
        (Format::Q5_1, GgmlDType::Q5_1),
        (Format::Q8_0, GgmlDType::Q8_0),
        (Format::Q2_K, GgmlDType::Q2K),
        (Format::Q3_K, GgmlDType::Q3K),
        (Format::Q4_K, GgmlDType::Q4K),
        (Format::Q5_K, GgmlDType::Q5K),
        (Format::Q6_K, GgmlDType::Q6K),
        (Format::BF16, GgmlDType::BF16),
        (Format::F16, GgmlDType::F16),
        (Format::F32, GgmlDType::F32),
    ];
    for (format, dtype) in types {
        let raw = rows_of(format);
        let tensor = qtensor_from_ggml(dtype, &raw, vec![8, COLS], &Device::Cpu).unwrap();
        let want = tensor.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(by_format!(format, decoded(&raw)), want, "{format}");
    }
}

/// candle-core does not know these. Block 0 of each: scale 0.5, and nibble `i % 16` of every two.
#[test]
fn nibbles_through_the_codebook_decode_to_known_answers() {
    let half = f32_to_f16(0.5).to_le_bytes();
    // Byte i holds i in its low nibble (weight i) and 15 − i in its high one (weight 16 + i).
    let nibbles: Vec<u8> = (0..16).map(|i| i | (15 - i) << 4).collect();
    let codebook = [
        -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0,
        113.0,
    ];
    let of = |scale: f32| {
        let both = codebook.iter().chain(codebook.iter().rev());
        both.map(|value| scale * value).collect::<Vec<f32>>()
    };
    assert_eq!(decoded::<IQ4_NL>(&[&half[..], &nibbles].concat()), of(0.5));

    // Scales 33 to 40 less 32: low nibbles 1 to 8, upper bits 2.
    let mut block = [&half[..], &[0xaa, 0xaa], &[0x21, 0x43, 0x65, 0x87]].concat();
    (0..8).for_each(|_| block.extend(&nibbles));
    let want: Vec<f32> = (1..=8).flat_map(|scale| of(0.5 * scale as f32)).collect();
    assert_eq!(decoded::<IQ4_XS>(&block), want);
    // Upper bits 3, 0, 1, 2 of the first four: scales 49, 2, 19, 36 less 32.
    block[2] = 0b1001_0011;
    let want: Vec<f32> = [17.0, -30.0, -13.0, 4.0].into_iter().flat_map(|scale| of(0.5 * scale)).collect();
    assert_eq!(decoded::<IQ4_XS>(&block)[..128], want);
}

/// The rows of packed tiles, dequantised.
fn unpacked<B: Quantized>(raw: &[u8]) -> Vec<f32> {
    let rows = raw.len() / (COLS / B::WIDTH * B::BYTES);
    let mut packed = Packed::<B::Tile>::with_capacity(rows, COLS);
    assert!(packed.push_group::<B>(raw));
    let mut out = vec![0.0; rows * COLS];
    out.chunks_exact_mut(COLS).enumerate().for_each(|(row, out)| packed.dequantize_row(row, out));
    out
}

/// Calls a function that is generic over [`Quantized`] for every such format.
macro_rules! for_quantized {
    ($call:ident) => {
        for_quantized!($call: Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS)
    };
    ($call:ident: $($format:ident)*) => { $($call::<$format>(Format::$format);)* };
}

/// Rounding of scales that are products to halves, of a weight's scale times quant and of its minimum: 2^-11 each.
const ROUNDED_SCALES: f32 = 1.0 / 2048.0;

/// The same over a whole matrix, as normalised mean squared error; measured 7.2e-8 at most (Q4_K, Q5_K), 0 where the
/// scales are the smallest halves.
const ROUNDED_SCALES_NMSE: f64 = 1e-7;

#[test]
fn tiles_hold_the_weights_of_the_file() {
    fn check<B: Quantized>(format: Format) {
        // Down to scales that are the smallest halves, and up to the largest.
        for (peak, rows) in [(0.1, 8), (0.1, 3), (1e-6, 8), (60.0, 8)] {
            let raw = &random_rows(format, rows, COLS, peak, 7);
            let (got, want) = (unpacked::<B>(raw), decoded::<B>(raw));
            // Scales that are no products are as they were.
            if B::WIDTH == TILE_COLUMNS {
                assert_eq!(got, want, "{format}");
            }
            let (mut error, mut size) = (0.0, 0.0);
            for (index, (got, want)) in got.iter().zip(&want).enumerate() {
                let block = &raw[index / B::WIDTH * B::BYTES..][..B::BYTES];
                let (d, m) = B::scale(block, index % B::WIDTH / B::STEP);
                let reach = (d * f32::from(B::value(B::code(block, index % B::WIDTH)))).abs() + m.abs();
                assert!((got - want).abs() <= ROUNDED_SCALES * reach, "{format}, {index}: {got}, {want}");
                error += f64::from(got - want).powi(2);
                size += f64::from(*want).powi(2);
            }
            println!("{format} {peak} {rows}: {:e}", error / size);
            assert!(error <= ROUNDED_SCALES_NMSE * size, "{format}: {:e}", error / size);
        }
    }
    for_quantized!(check);
}

#[test]
fn scales_beyond_half_precision_are_told() {
    fn check<B: Quantized>(format: Format) {
        let raw = random_rows(format, 8, COLS, 1.0, 7);
        for half in [0x7bff_u16, 0x7c00, 0xfc00, 0x7e00] {
            let mut raw = raw.clone();
            let block = &mut raw[B::BYTES * (COLS / B::WIDTH) * 5..];
            let at = fixture::halves(format)[0];
            block[at..][..2].copy_from_slice(&half.to_le_bytes());
            assert!(!Packed::<B::Tile>::with_capacity(8, COLS).push_group::<B>(&raw), "{format}, {half:#x}");
        }
    }
    for_quantized!(check);
}

/// The weight that a shader makes of the planes' bytes of row `lane` and `column` (`shaders/shared/weights.wgsl`).
fn from_planes(format: Format, quants: &[u8], scales: &[u8], lane: usize, column: usize) -> f32 {
    let block = column / PLANE_COLUMNS;
    let within = column % PLANE_COLUMNS;
    let half = within / 16;
    let word = |bytes: &[u8], at: usize| {
        u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    };
    let of_vector = |count: usize, byte: usize| ((block * count + byte / 16) * GROUP + lane) * 16 + byte % 16;
    let in_vector = |index: usize| word(quants, of_vector(1, index * 4));
    let beside = |count: usize, index: usize| word(scales, ((block * count + index) * GROUP + lane) * 4);
    let low = |word: u32| f16_to_f32(word as u16);
    let high = |word: u32| f16_to_f32((word >> 16) as u16);
    let of_half = |word: u32| if half == 0 { low(word) } else { high(word) };
    let nibble = || u32::from(quants[of_vector(1, within % 16)] >> (half * 4) & 15);
    let bit = |word: u32| word >> (within % 4 * 8 + within / 4) & 1;
    let pair = |word: u32| word >> (within % 4 * 8 + within % 16 / 4 * 2) & 3;
    match format {
        Format::Q4_0 | Format::Q4_1 | Format::Q4_K => {
            low(beside(1, 0)) * nibble() as f32 + high(beside(1, 0))
        }
        Format::IQ4_NL | Format::IQ4_XS => low(beside(1, 0)) * f32::from(CODEBOOK[nibble() as usize]),
        Format::Q5_0 | Format::Q5_1 | Format::Q5_K => {
            let quant = nibble() | bit(beside(2, 1)) << 4;
            low(beside(2, 0)) * quant as f32 + high(beside(2, 0))
        }
        Format::Q6_K => {
            let quant = nibble() | pair(beside(3, 1 + half)) << 4;
            of_half(beside(3, 0)) * (quant as f32 - 32.0)
        }
        Format::Q2_K => {
            let scale = in_vector(2 + half);
            low(scale) * pair(in_vector(half)) as f32 + high(scale)
        }
        Format::Q3_K => {
            let quant = pair(in_vector(half)) | bit(in_vector(2)) << 2;
            of_half(in_vector(3)) * (quant as f32 - 4.0)
        }
        Format::Q8_0 => low(beside(1, 0)) * f32::from(quants[of_vector(2, within)] as i8),
        Format::F16 => low(word(quants, of_vector(4, within * 2 / 4 * 4)) >> (within % 2 * 16)),
        Format::BF16 => {
            bf16_to_f32((word(quants, of_vector(4, within * 2 / 4 * 4)) >> (within % 2 * 16)) as u16)
        }
        Format::F32 => f32::from_bits(word(quants, of_vector(8, within * 4))),
    }
}

/// Scales of scales become one half: an error of 2⁻¹² of the scale at most, evenly spread, so some 5e-8 of
/// the weights' squares; four times that is the bound.
const ROUNDED: f64 = 2e-7;

#[test]
fn planes_hold_the_weights_of_the_file() {
    for format in Format::ALL {
        let raw = rows_of(format);
        let want = by_format!(format, decoded(&raw));
        let mut quants = vec![0; 8 * COLS * 4];
        let mut scales = vec![0; COLS / PLANE_COLUMNS * GROUP * 3 * 4];
        format.to_planes(&raw, raw.len() / 8, &mut quants, &mut scales);
        let got: Vec<f32> = (0..want.len())
            .map(|index| from_planes(format, &quants, &scales, index / COLS, index % COLS))
            .collect();
        let wide = format.block().0 == 256;
        if !wide {
            assert_eq!(got, want, "{format}");
        }
        let square =
            |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>();
        let error = square(&mut got.iter().zip(&want).map(|(a, b)| a - b));
        let share = error / square(&mut want.iter().copied());
        assert!(share <= ROUNDED, "{format}: {share:.1e}");
        assert!(!wide || share > 0.0, "{format} has scales of scales");
    }
}
