//! Measures the processor without a model.

use std::rc::Rc;

use engine::cpu::{self, Processor};
use protocol::Probed;

use crate::clock::now_ms;
use crate::errors::Result;
use crate::threads::ThreadPool;

/// Takes about a quarter of a second, in one go.
pub(crate) async fn probe(threads: &Rc<ThreadPool>, asked: u32) -> Result<Probed> {
    let (pool, _) = threads.of(asked).await;
    Ok(cpu::probe(&Processor::detect(pool), &now_ms)?)
}
