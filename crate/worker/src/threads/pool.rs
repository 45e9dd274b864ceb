//! The thread pool that a load computes on.

use std::cell::RefCell;
use std::sync::Arc;

use engine::cpu::Pool;
use protocol::MOST_THREADS;

use super::nested_worker::NestedWorker;
use crate::js;
use crate::variant::SHARED;

/// Most threads this build can compute on, here.
pub(crate) fn most() -> u32 {
    match SHARED {
        true => (js::scope().navigator().hardware_concurrency() as u32).clamp(1, MOST_THREADS),
        false => 1,
    }
}

/// The thread pool, from one load to the next.
#[derive(Default)]
pub(crate) struct ThreadPool(RefCell<Option<Arc<Pool>>>);

impl ThreadPool {
    /// As many threads as a load asks for; if they cannot be started it is this one alone, and why.
    pub(crate) async fn of(&self, asked: u32) -> (Arc<Pool>, Option<String>) {
        let threads = if SHARED { protocol::threads(asked, most()) as usize } else { 1 };
        if let Some(pool) = self.0.borrow().as_ref().filter(|pool| pool.threads() == threads) {
            return (Arc::clone(pool), None);
        }
        // The threads of a pool that nobody holds end by themselves.
        self.0.take();
        let (pool, cause) = match start(threads).await {
            Ok(pool) => (Arc::new(pool), None),
            Err(cause) => (Pool::alone(), Some(cause)),
        };
        self.0.replace(Some(Arc::clone(&pool)));
        (pool, cause)
    }
}

async fn start(threads: usize) -> Result<Pool, String> {
    let (pool, helpers) = Pool::new(threads);
    // All at once, then one after the other is waited for.
    let workers = helpers.into_iter().map(NestedWorker::start).collect::<Result<Vec<_>, _>>();
    for worker in workers.map_err(|thrown| js::describe(&thrown))? {
        worker.started().await?;
    }
    Ok(pool)
}
