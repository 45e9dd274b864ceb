//! The memory that a model takes on this processor, and the work of a token, told from its header.

use std::io::{Read, Seek};

use protocol::{Needs, Work};

use super::matrix::packed_bytes;
use crate::error::{Error, Result};
use crate::gguf::{Dtype, Gguf};
use crate::model::{Plan, Rows};

/// The numbers that a model's memory and a token's time follow from.
///
/// # Errors
/// It cannot be run.
pub fn needs<R: Read + Seek>(gguf: &Gguf<R>) -> Result<Needs> {
    // They are the same for every context that the plan is made for.
    Ok(of_plan(gguf, &Plan::of(gguf, 1)?))
}

/// Refuses a model before anything is allocated for it. `room` tells how many of so many bytes can be had.
pub(crate) fn check_room<R: Read + Seek>(
    gguf: &Gguf<R>,
    plan: &Plan,
    positions: usize,
    room: fn(u64) -> u64,
) -> Result<()> {
    let need = of_plan(gguf, plan).weights.saturating_add(plan.spec.kv_bytes(positions));
    match room(need).min(usize::MAX as u64) {
        limit if limit < need => Err(Error::Memory { file: gguf.file().to_owned(), need, limit }),
        _ => Ok(()),
    }
}

fn of_plan<R: Read + Seek>(gguf: &Gguf<R>, plan: &Plan) -> Needs {
    let mut weights = 0u64;
    let mut work = Work { decode_bytes: 0, prompt_products: 0 };
    for (index, op) in plan.ops().iter().enumerate() {
        let of = |number: fn(&Gguf<R>, &Rows) -> u64| {
            op.weights().iter().fold(0u64, |sum, rows| sum.saturating_add(number(gguf, rows)))
        };
        let bytes = of(bytes_of);
        let is_head = index == plan.head();
        // A tied head is the embedding once more.
        if !(is_head && plan.spec.tied()) {
            weights = weights.saturating_add(bytes);
        }
        let vectors = op.vectors().iter().fold(0u64, |sum, vector| sum.saturating_add(vector.len as u64));
        weights = weights.saturating_add(vectors.saturating_mul(size_of::<f32>() as u64));
        // Of the embedding a token reads a row.
        if index > 0 {
            work.decode_bytes = work.decode_bytes.saturating_add(bytes);
            if !is_head {
                work.prompt_products = work.prompt_products.saturating_add(of(products_of));
            }
        }
    }
    Needs {
        weights,
        kv_bytes_per_token: plan.spec.kv_bytes(1),
        context: u32::try_from(plan.spec.context).unwrap_or(u32::MAX),
        work: Some(work),
    }
}

/// Bytes of a matrix in memory; of one that is missing or has no kernels, which the loader refuses by name, none.
fn bytes_of<R: Read + Seek>(gguf: &Gguf<R>, rows: &Rows) -> u64 {
    match gguf.tensor(&rows.tensor).map(|tensor| &tensor.dtype) {
        Some(Dtype::Known(format)) => packed_bytes(*format, rows.rows.len() as u64, rows.cols() as u64),
        _ => 0,
    }
}

fn products_of<R: Read + Seek>(_: &Gguf<R>, rows: &Rows) -> u64 {
    (rows.rows.len() as u64).saturating_mul(rows.cols() as u64)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use candle_core::quantized::GgmlDType;

    use super::*;
    use crate::cpu::{Cpu, Pool, Processor};
    use crate::testing;

    #[test]
    fn what_is_told_from_the_header_is_what_is_held() {
        for dtype in [GgmlDType::Q4_0, GgmlDType::Q5_1, GgmlDType::Q8_0, GgmlDType::BF16, GgmlDType::F32] {
            let mut gguf = Gguf::open("tiny.gguf", Cursor::new(testing::file(dtype))).unwrap();
            let needs = needs(&gguf).unwrap();
            let plan = Arc::new(Plan::of(&gguf, 8).unwrap());
            let processor = Processor::detect(Pool::alone());
            let cpu = Cpu::load(&mut gguf, &plan, 8, &processor, &mut |_| {}).unwrap();
            assert_eq!(needs.weights, cpu.bytes(), "{dtype:?}");
            let work = needs.work.unwrap();
            assert_eq!(work.decode_bytes, cpu.bytes_per_token(), "{dtype:?}");
            // Per layer: queries, keys, values and output of 64 by 64, 32, 32 and 64; three of 64 by 96.
            let layer = 64 * (64 + 32 + 32 + 64) + 3 * 64 * 96;
            assert_eq!(work.prompt_products, (testing::LAYERS * layer) as u64);
        }
    }

    #[test]
    fn a_model_without_room_is_refused_with_the_numbers() {
        let gguf = Gguf::open("tiny.gguf", Cursor::new(testing::file(GgmlDType::Q8_0))).unwrap();
        let plan = Plan::of(&gguf, 8).unwrap();
        let needs = needs(&gguf).unwrap();
        let want = needs.weights + 8 * needs.kv_bytes_per_token;
        check_room(&gguf, &plan, 8, |bytes| bytes).unwrap();
        let refused = check_room(&gguf, &plan, 8, |bytes| bytes - 1).unwrap_err();
        assert!(
            matches!(&refused, Error::Memory { need, limit, .. } if (*need, *limit) == (want, want - 1)),
            "{refused}"
        );
    }
}
