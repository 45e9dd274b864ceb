//! Which backend runs, between the engine's terms and the protocol's.

use crate::clock::now_ms;

/// A report as the page receives it.
pub(crate) fn told(report: &engine::Report) -> protocol::Report {
    protocol::Report {
        name: report.name.clone(),
        reason: report.reason.clone(),
        adapter: report.adapter.clone(),
        variant: report.variant.clone(),
        check: report.check.as_ref().map(check),
    }
}

fn check(check: &engine::Check) -> protocol::Check {
    protocol::Check {
        kernels: check.kernels as u32,
        replaced: check.replaced.clone(),
        tokens: check.tokens as u32,
        same: check.same as u32,
        largest_difference: check.largest_difference,
        gpu_tokens_per_s: check.gpu_tokens_per_s,
        cpu_tokens_per_s: check.cpu_tokens_per_s,
        remembered: check.remembered,
        took_ms: check.took_ms,
    }
}

/// That another backend goes on, in the middle of an answer or between two.
pub(crate) fn moved(id: Option<u32>, report: &engine::Report) -> protocol::Moved {
    protocol::Moved { id, backend: told(report), at_ms: now_ms() }
}

/// A report as the engine takes it.
pub(crate) fn known(report: protocol::Report) -> engine::Report {
    engine::Report {
        name: report.name,
        reason: report.reason,
        adapter: report.adapter,
        variant: report.variant,
        check: report.check.map(|check| engine::Check {
            kernels: check.kernels as usize,
            replaced: check.replaced,
            tokens: check.tokens as usize,
            same: check.same as usize,
            largest_difference: check.largest_difference,
            gpu_tokens_per_s: check.gpu_tokens_per_s,
            cpu_tokens_per_s: check.cpu_tokens_per_s,
            remembered: check.remembered,
            took_ms: check.took_ms,
        }),
    }
}
