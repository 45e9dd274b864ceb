//! What a run may cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use minijinja::State;

use super::fault::{Fault, Result};

/// Cost of an instruction of minijinja's.
pub(super) const INSTRUCTION: u64 = 16;

/// Cost of looking at a value.
pub(super) const STEP: u64 = 8;

/// Cost of a place in a list or map; what it takes in memory, and more.
pub(super) const PLACE: u64 = 32;

/// What a run may cost: bytes read and written, [`INSTRUCTION`] an instruction, [`PLACE`] a place in a list.
/// Copies share one account.
#[derive(Clone)]
pub(in super::super) struct Budget(Arc<Account>);

struct Account {
    total: u64,
    paid: AtomicU64,
    /// Instructions run, as minijinja last told.
    steps: AtomicU64,
    /// Macros defined.
    macros: AtomicU64,
}

impl Budget {
    pub(in super::super) fn new(total: u64) -> Self {
        Self(Arc::new(Account { total, paid: 0.into(), steps: 0.into(), macros: 0.into() }))
    }

    pub(super) fn total(&self) -> u64 {
        self.0.total
    }

    /// Pays before something is done or allocated.
    pub(super) fn spend(&self, cost: u64) -> Result<()> {
        self.0.paid.store(self.0.paid.load(Relaxed).saturating_add(cost), Relaxed);
        if self.spent() > self.0.total { Err(Fault::Exhausted(self.0.total)) } else { Ok(()) }
    }

    /// Pays for places in a list.
    pub(super) fn places(&self, count: usize) -> Result<()> {
        self.spend(PLACE.saturating_mul(count as u64))
    }

    /// Pays for all instructions so far.
    pub(super) fn steps(&self, state: &State<'_, '_>) -> Result<()> {
        let (count, _) = state.fuel_levels().unwrap_or_default();
        self.0.steps.store(count, Relaxed);
        self.spend(0)
    }

    /// Counts a macro.
    pub(super) fn define(&self) {
        self.0.macros.fetch_add(1, Relaxed);
    }

    pub(super) fn macros(&self) -> u64 {
        self.0.macros.load(Relaxed)
    }

    fn spent(&self) -> u64 {
        self.0.steps.load(Relaxed).saturating_mul(INSTRUCTION).saturating_add(self.0.paid.load(Relaxed))
    }

    pub(in super::super) fn used(&self) -> u64 {
        self.spent().min(self.0.total)
    }
}
