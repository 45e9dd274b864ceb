//! What a run may cost.

use std::cell::Cell;

use super::fault::{Fault, Result};

/// Cost of a step: an expression evaluated, a statement run.
pub(super) const STEP: u64 = 8;

/// Cost of a place in a list or map; what it takes in memory, and more.
pub(super) const PLACE: u64 = 32;

/// What a run may cost: bytes read and written, [`STEP`] a step, [`PLACE`] a place in a list.
pub(in super::super) struct Budget {
    total: u64,
    left: Cell<u64>,
}

impl Budget {
    pub(in super::super) fn new(total: u64) -> Self {
        Self { total, left: Cell::new(total) }
    }

    /// Pays before something is done or allocated.
    pub(super) fn spend(&self, cost: u64) -> Result<()> {
        match self.left.get().checked_sub(cost) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                self.left.set(0);
                Err(Fault::Exhausted(self.total))
            }
        }
    }

    /// Pays for places in a list.
    pub(super) fn places(&self, count: usize) -> Result<()> {
        self.spend(PLACE.saturating_mul(count as u64))
    }

    pub(in super::super) fn used(&self) -> u64 {
        self.total - self.left.get()
    }
}
