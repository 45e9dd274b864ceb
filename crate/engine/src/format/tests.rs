//! Every format against candle-core's, and a block wider than a tile through the same seam.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use super::kind::{by_format, rows_to_planes};
use super::*;

/// Eight rows × 64 columns of numbers, quantised by candle-core: the file's bytes, and the weights as it reads them.
fn candle(dtype: GgmlDType) -> (Vec<u8>, Vec<f32>) {
    let values: Vec<f32> = (0..8 * 64).map(|i| ((i * 37 % 101) as f32 - 50.0) / 13.0).collect();
    let tensor = Tensor::from_vec(values, (8, 64), &Device::Cpu).unwrap();
    let quantized = QTensor::quantize(&tensor, dtype).unwrap();
    let weights = quantized.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    (quantized.data().unwrap().to_vec(), weights)
}

const TYPES: [(Format, GgmlDType); 5] = [
    (Format::Q4_0, GgmlDType::Q4_0),
    (Format::Q4_1, GgmlDType::Q4_1),
    (Format::Q8_0, GgmlDType::Q8_0),
    (Format::F16, GgmlDType::F16),
    (Format::F32, GgmlDType::F32),
];

fn decoded<B: Block>(raw: &[u8]) -> Vec<f32> {
    let mut out = vec![0.0; raw.len() / B::BYTES * B::WIDTH];
    for (block, out) in raw.chunks_exact(B::BYTES).zip(out.chunks_exact_mut(B::WIDTH)) {
        B::decode(block, out);
    }
    out
}

/// Bytes of a format's row of 64.
fn row_bytes<B: Block>() -> usize {
    64 / B::WIDTH * B::BYTES
}

#[test]
fn blocks_decode_as_candle_decodes_them() {
    for (format, dtype) in TYPES {
        let (raw, want) = candle(dtype);
        assert_eq!(by_format!(format, decoded(&raw)), want, "{format}");
    }
}

/// The rows of packed tiles, dequantised.
fn unpacked<B: TileBlock>(raw: &[u8], cols: usize) -> Vec<f32> {
    let rows = raw.len() / (cols / B::WIDTH * B::BYTES);
    let mut packed = Packed::<B::Tile>::with_capacity(rows, cols);
    packed.push_group::<B>(raw);
    let mut out = vec![0.0; rows * cols];
    out.chunks_exact_mut(cols).enumerate().for_each(|(row, out)| packed.dequantize_row(row, out));
    out
}

#[test]
fn tiles_hold_the_weights_of_the_file() {
    for rows in [8, 3] {
        let of = |dtype| {
            let (raw, want) = candle(dtype);
            let bytes = raw.len() / 8 * rows;
            (raw[..bytes].to_vec(), want[..64 * rows].to_vec())
        };
        let (raw, want) = of(GgmlDType::Q4_0);
        assert_eq!(unpacked::<Q4_0>(&raw, 64), want);
        let (raw, want) = of(GgmlDType::Q4_1);
        assert_eq!(unpacked::<Q4_1>(&raw, 64), want);
        let (raw, want) = of(GgmlDType::Q8_0);
        assert_eq!(unpacked::<Q8_0>(&raw, 64), want);
    }
}

/// The weight that a shader makes of the planes' bytes of row `lane` and `column` (`shaders/shared/weights.wgsl`).
fn from_planes(format: Format, quants: &[u8], scales: &[u8], lane: usize, column: usize) -> f32 {
    let half = |bytes: &[u8]| f16_to_f32(u16::from_le_bytes([bytes[0], bytes[1]]));
    let block = column / PLANE_COLUMNS;
    let within = column % PLANE_COLUMNS;
    let vectors = |count: usize, byte: usize| ((block * count + byte / 16) * GROUP + lane) * 16 + byte % 16;
    let scale = &scales[(block * GROUP + lane) * 4..];
    match format {
        Format::Q4_0 | Format::Q4_1 => {
            let byte = quants[vectors(1, within % 16)];
            let quant = if within < 16 { byte & 15 } else { byte >> 4 };
            half(scale) * f32::from(quant) + half(&scale[2..])
        }
        Format::Q8_0 => half(scale) * f32::from(quants[vectors(2, within)] as i8),
        Format::F16 => half(&quants[vectors(4, within * 2)..]),
        Format::F32 => {
            let at = vectors(8, within * 4);
            f32::from_le_bytes([quants[at], quants[at + 1], quants[at + 2], quants[at + 3]])
        }
    }
}

#[test]
fn planes_hold_the_weights_of_the_file() {
    for (format, dtype) in TYPES {
        let (raw, want) = candle(dtype);
        let mut quants = vec![0; 8 * 64 * 4];
        let mut scales = vec![0; 2 * GROUP * 4];
        format.to_planes(&raw, by_format!(format, row_bytes()), &mut quants, &mut scales);
        for (index, want) in want.iter().enumerate() {
            let got = from_planes(format, &quants, &scales, index / 64, index % 64);
            assert_eq!(got, *want, "{format}, {index}");
        }
    }
}

/// A block of 256 weights with a scale for each 32, as the K formats have them: `w = scale · q`.
struct Wide;

impl Block for Wide {
    const WIDTH: usize = 256;
    const BYTES: usize = 16 + 128;

    fn decode(block: &[u8], out: &mut [f32]) {
        for (index, out) in out.iter_mut().enumerate() {
            let half = u16::from_le_bytes([block[index / 32 * 2], block[index / 32 * 2 + 1]]);
            *out = f16_to_f32(half) * f32::from(wide_quant(block, index));
        }
    }

    fn to_planes(block: &[u8], planes: &mut Planes) {
        let first = planes.column;
        for part in 0..8 {
            planes.column = first + part * PLANE_COLUMNS;
            planes.scale(f16_to_f32(u16::from_le_bytes([block[part * 2], block[part * 2 + 1]])), 0.0);
            planes.quants(&block[16 + part * 16..][..16]);
        }
    }
}

impl TileBlock for Wide {
    type Tile = Tile4;

    fn to_tiles(block: &[u8], lane: usize, tiles: &mut [Tile4]) {
        for (part, tile) in tiles.iter_mut().enumerate() {
            let d = f16_to_f32(u16::from_le_bytes([block[part * 2], block[part * 2 + 1]]));
            tile.set(lane, d, 0.0, |column| wide_quant(block, part * 32 + column));
        }
    }
}

fn wide_quant(block: &[u8], index: usize) -> u8 {
    tile::nibble(&block[16 + index / 32 * 16..], index % 32)
}

#[test]
fn a_block_wider_than_a_tile_goes_the_same_way() {
    let mut raw: Vec<u8> = (0..3 * 2 * Wide::BYTES).map(|i| (i * 89 % 251) as u8).collect();
    for block in raw.chunks_exact_mut(Wide::BYTES) {
        for part in 0..8 {
            block[part * 2..][..2].copy_from_slice(&f32_to_f16(0.25 + part as f32).to_le_bytes());
        }
    }
    let want = decoded::<Wide>(&raw);
    assert_eq!(unpacked::<Wide>(&raw, 512), want);
    let mut quants = vec![0; 8 * 512 / 2];
    let mut scales = vec![0; 16 * GROUP * 4];
    rows_to_planes::<Wide>(&raw, 2 * Wide::BYTES, &mut quants, &mut scales);
    for (index, want) in want.iter().enumerate() {
        assert_eq!(from_planes(Format::Q4_1, &quants, &scales, index / 512, index % 512), *want, "{index}");
    }
}
