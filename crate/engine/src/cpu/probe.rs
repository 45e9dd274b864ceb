//! How fast this processor multiplies, measured without a model.

use protocol::Probed;

use super::executor::MAX_BATCH;
use super::kernels::activations::QuantizedActivations;
use super::matrix::{Input, Matrix};
use super::products::{Processor, Quantizer, multiply_whole};
use crate::error::{Error, Result};
use crate::format::{GROUP, Packed, Q4_1, Quantized};
use crate::model::Precision;

/// Rows and columns of a matrix, as models of a few hundred million weights have them: a product takes as many
/// waits for the other threads as one of theirs.
const SHAPE: (usize, usize) = (2048, 1024);

/// Matrices that a token reads: 63 MB, more than the outer caches of most processors hold.
const MATRICES: usize = if cfg!(test) { 2 } else { 48 };

/// Of those, how many a batch is multiplied with.
const BATCHED: usize = 2;

/// Time that each of the two is warmed up for, and then measured, ms. Code that has just arrived in a browser is
/// slower, by half and more.
const BUDGET_MS: f64 = 60.0;

/// Passes that are measured, whatever the clock says.
const PASSES: std::ops::RangeInclusive<usize> = 3..=30;

/// Pace of the kernels for four-bit weights, in about a quarter of a second: bytes of weights that products with one
/// token read, and products with a batch of a prompt. `now` is a monotonic clock, ms.
///
/// # Errors
/// A thread has died, or the clock stands still.
pub fn probe(processor: &Processor, now: &dyn Fn() -> f64) -> Result<Probed> {
    let (rows, cols) = SHAPE;
    let matrices: Vec<Matrix> = (0..MATRICES).map(|_| matrix()).collect();
    let floats: Vec<f32> = (0..MAX_BATCH * cols).map(|index| (index % 29) as f32 - 14.0).collect();
    let quantized = |precisions: &[Precision]| {
        let mut quantized = QuantizedActivations::with_capacity(precisions.len(), cols);
        let quantizer = Quantizer::new(processor.kernels, &mut quantized, cols, precisions);
        for (index, row) in floats.chunks_exact(cols).take(precisions.len()).enumerate() {
            // SAFETY: one thread, row after row.
            unsafe { quantizer.row(index, row) };
        }
        quantized
    };
    let mut out = vec![0.0; MAX_BATCH * rows];
    let mut pass = |matrices: &[Matrix], x: &QuantizedActivations, tokens: usize| {
        let input = Input::new(&floats, x, tokens, cols);
        for matrix in matrices {
            multiply_whole(processor, [(matrix, &mut out[..tokens * rows])], &input);
        }
    };
    let bytes = matrices.iter().map(Matrix::bytes).sum::<u64>() as f64;
    let (spoken, read) = (quantized(&[Precision::Fourteen]), quantized(&[Precision::Eight; MAX_BATCH]));
    let decoded = seconds(now, &mut || pass(&matrices, &spoken, 1));
    let batch = seconds(now, &mut || pass(&matrices[..BATCHED], &read, MAX_BATCH));
    processor.pool.check()?;
    let (Some(decoded), Some(batch)) = (decoded, batch) else {
        return Err(Error::Backend {
            op: "timing the processor",
            cause: "its clock stands still".to_owned(),
        });
    };
    Ok(Probed {
        bytes_per_s: bytes / decoded,
        products_per_s: (BATCHED * rows * cols * MAX_BATCH) as f64 / batch,
        threads: processor.pool.threads() as u32,
    })
}

/// A matrix of one group of rows over and over: packing them all would take longer than multiplying.
fn matrix() -> Matrix {
    let (rows, cols) = SHAPE;
    // Scales and minima of 1 (0x3c00), which the nibbles have as well.
    let block = [0, 0x3c].repeat(<Q4_1 as Quantized>::BYTES / 2);
    let mut packed = Packed::with_capacity(rows, cols);
    let sound = packed.push_group::<Q4_1>(&block.repeat(GROUP * cols / <Q4_1 as Quantized>::WIDTH));
    debug_assert!(sound, "1 is a scale");
    let group = packed.tiles.clone();
    for _ in 1..rows / GROUP {
        packed.tiles.extend_from_slice(&group);
    }
    packed.rows = rows;
    Matrix::of_tiles(packed)
}

/// Time of a pass, s: the median, once it is warm. `None` where the clock did not move.
fn seconds(now: &dyn Fn() -> f64, pass: &mut dyn FnMut()) -> Option<f64> {
    let mut passes = |least: usize| {
        let begun = now();
        let mut times = Vec::new();
        while times.len() < least || (now() - begun < BUDGET_MS && times.len() < *PASSES.end()) {
            let start = now();
            pass();
            times.push(now() - start);
        }
        times
    };
    passes(1);
    let mut times = passes(*PASSES.start());
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    (median > 0.0).then_some(median / 1e3)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::cpu::Pool;

    /// A clock that goes on by a millisecond whenever somebody looks.
    fn probed(step: f64) -> Result<Probed> {
        let time = Cell::new(0.0);
        probe(&Processor::detect(Pool::alone()), &|| time.replace(time.get() + step))
    }

    #[test]
    fn work_over_time_is_the_pace() {
        let Probed { bytes_per_s, products_per_s, threads } = probed(1.0).unwrap();
        // Five bits a weight.
        let weights = (SHAPE.0 * SHAPE.1) as f64;
        assert_eq!(bytes_per_s, MATRICES as f64 * weights * 5.0 / 8.0 / 1e-3);
        assert_eq!(products_per_s, (BATCHED * MAX_BATCH) as f64 * weights / 1e-3);
        assert_eq!(threads, 1);
    }

    #[test]
    fn a_clock_that_stands_still_is_an_error_and_no_speed() {
        assert!(probed(0.0).unwrap_err().to_string().contains("stands still"));
    }

    #[test]
    fn the_matrix_is_of_what_it_says() {
        let matrix = matrix();
        let mut row = vec![0.0; SHAPE.1];
        for index in [0, SHAPE.0 - 1] {
            matrix.dequantize_row(index, &mut row);
            assert!(row.iter().all(|weight| weight.is_finite()) && row.iter().any(|weight| *weight != 1.0));
        }
        assert_eq!((matrix.rows(), matrix.cols()), SHAPE);
    }
}
