//! Which backend runs, why, and how the GPU was checked, in a visitor's words.

use protocol::{Check, Report};

use crate::engine_link::names::{is_gpu, on_software};
use crate::shared::{format, text};

/// Why a backend runs, as a sentence.
pub fn reason(report: &Report) -> String {
    let who = match () {
        () if on_software(&report.name) => "A software adapter computes, which is no GPU",
        () if is_gpu(&report.name) => "The GPU computes",
        () => "The processor computes",
    };
    text::sentence(&format!("{who}: {}", report.reason.trim()))
}

/// How far GPU and processor agree, as a sentence; or why that was not asked.
pub fn agreement(check: &Check) -> String {
    if check.tokens == 0 {
        return "Timed only: so much slower than the processor here that checking it would only have cost time."
            .to_owned();
    }
    format!(
        "{} of {} next tokens are the processor’s, and the largest difference of a log-probability is {}.",
        check.same,
        check.tokens,
        difference(check.largest_difference)
    )
}

/// A difference of log-probabilities; small ones keep their first digits.
pub fn difference(value: f32) -> String {
    let value = f64::from(value);
    match value {
        v if !v.is_finite() => format::NONE.to_owned(),
        v if v < 0.000_05 => "under 0.0001".to_owned(),
        v if v < 0.001 => format::decimal(v, 4),
        v if v < 0.1 => format::decimal(v, 3),
        v => format::decimal(v, 2),
    }
}

/// A speed in tokens/s, or that there is none.
pub fn speed(value: Option<f64>) -> String {
    value.map_or("not measured".to_owned(), |speed| format!("{} tokens/s", format::decimal(speed, 1)))
}

/// Circumstances of the check: earlier visit, replaced kernels, time.
pub fn provenance(check: &Check) -> String {
    let kernels = format::counted(check.kernels as u32, "kernel", "kernels");
    let took = format::ms(check.took_ms);
    let checked = match (check.kernels, check.remembered) {
        (0, false) if check.took_ms > 0.0 => format!(" Timing both took {took}."),
        (0, _) => String::new(),
        (_, false) => format!(" {kernels} were run on known numbers; the whole check took {took}."),
        (_, true) => format!(" {kernels} were run on known numbers again, which took {took}."),
    };
    match check.remembered {
        true => format!(
            "Remembered from an earlier visit with this adapter, browser, model and set of kernels.{checked}"
        ),
        false => checked.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine_link::names::adapter;

    fn check() -> Check {
        Check {
            kernels: 9,
            replaced: Vec::new(),
            tokens: 16,
            same: 16,
            largest_difference: 0.004_12,
            gpu_tokens_per_s: Some(6.1),
            cpu_tokens_per_s: None,
            remembered: false,
            took_ms: 1_234.0,
        }
    }

    #[test]
    fn agreement_is_told_with_its_figures() {
        assert_eq!(
            agreement(&check()),
            "16 of 16 next tokens are the processor’s, and the largest difference of a log-probability is 0.004."
        );
        assert_eq!(speed(check().gpu_tokens_per_s), "6.1 tokens/s");
        assert_eq!(speed(check().cpu_tokens_per_s), "not measured");
        assert_eq!(difference(f32::NAN), format::NONE);
        assert_eq!(difference(0.0), "under 0.0001");
        assert_eq!(difference(1.5), "1.50");
    }

    #[test]
    fn an_earlier_visits_result_says_so() {
        let told = provenance(&Check { remembered: true, ..check() });
        assert!(told.starts_with("Remembered from an earlier visit"), "{told}");
        assert!(!provenance(&check()).contains("earlier"));
    }

    #[test]
    fn a_gpu_that_was_only_timed_is_not_called_checked() {
        let timed = Check { kernels: 0, tokens: 0, same: 0, ..check() };
        assert!(agreement(&timed).starts_with("Timed only"));
        assert_eq!(provenance(&timed), "Timing both took 1,234 ms.");
    }

    #[test]
    fn a_software_adapter_is_never_called_a_gpu() {
        let report = |name: &str| Report {
            name: name.into(),
            reason: "it was asked for".into(),
            adapter: None,
            variant: None,
            check: None,
        };
        assert!(
            reason(&report("webgpu (software)")).starts_with("A software adapter computes, which is no GPU")
        );
        assert_eq!(reason(&report("webgpu")), "The GPU computes: it was asked for.");
        assert_eq!(reason(&report("cpu-simd")), "The processor computes: it was asked for.");
        assert!(adapter("SwiftShader Device", false).ends_with("a software adapter on the processor"));
    }
}
