//! Which backend runs, why, and how the GPU was checked, in a visitor's words.

use protocol::{Check, Preference, Report};

use crate::engine_link::device::is_software;
use crate::shared::format;

/// A choice of the backend: stable name, what the list shows, and what it is called in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is asked of the engine.
    pub preference: Preference,
    /// Value in the list, for tests.
    pub key: &'static str,
    /// What the list shows.
    pub label: &'static str,
    /// As in "load with …".
    pub with: &'static str,
}

/// Every choice, the first one chosen at the start.
pub const CHOICES: [Choice; 3] = [
    Choice {
        preference: Preference::Automatic,
        key: "Automatic",
        label: "Automatic: the faster",
        with: "the faster backend",
    },
    Choice { preference: Preference::Gpu, key: "Gpu", label: "GPU", with: "the GPU" },
    Choice { preference: Preference::Cpu, key: "Cpu", label: "Processor", with: "the processor" },
];

/// What the variant field shows when a measurement chooses.
pub const MEASURED: &str = "measured";

/// The variant that is typed; `None` where a measurement is to choose.
pub fn variant(typed: &str) -> Option<String> {
    let typed = typed.trim();
    (!typed.is_empty() && typed != MEASURED).then(|| typed.to_owned())
}

/// What a model was, or would be, loaded with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Positions of the context.
    pub context: u32,
    /// The backend asked for.
    pub preference: Preference,
    /// The kernels' variant asked for.
    pub variant: Option<String>,
    /// Threads asked for; 0 for as many as are good.
    pub threads: u32,
}

/// What a load brought of what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Got {
    /// Positions of the context.
    pub context: u32,
    /// Threads that compute on the processor.
    pub threads: u32,
}

impl Wish {
    /// What a button says that loads again with this wish; `None` where nothing would change. `loaded` is what
    /// the model was loaded with, `got` what it then got.
    pub fn again(&self, loaded: &Self, got: Got) -> Option<String> {
        let with = CHOICES.iter().find(|choice| choice.preference == self.preference)?.with;
        let mut changes = Vec::new();
        if self.preference != loaded.preference {
            changes.push(with.to_owned());
        }
        if self.variant != loaded.variant && self.preference != Preference::Cpu {
            changes.push(match &self.variant {
                Some(variant) => format!("the variant {variant}"),
                None => "a measured variant".to_owned(),
            });
        }
        if self.threads != loaded.threads && self.threads != got.threads {
            changes.push(match self.threads {
                0 => "the automatic number of threads".to_owned(),
                threads => format::counted(threads, "thread", "threads"),
            });
        }
        // A model that was trained on less than was asked for got less.
        if self.context != loaded.context && self.context != got.context {
            changes.push(format!("a context of {} tokens", format::count(f64::from(self.context))));
        }
        (!changes.is_empty()).then(|| format!("Load with {}", changes.join(" and ")))
    }
}

/// Whether a backend's name is that of a GPU backend.
pub fn is_gpu(name: &str) -> bool {
    name.starts_with("webgpu")
}

/// Whether a backend's name says that its adapter is a program on the processor.
pub fn on_software(name: &str) -> bool {
    name.ends_with("(software)")
}

/// Why a backend runs, as a sentence.
pub fn reason(report: &Report) -> String {
    let who = match () {
        () if on_software(&report.name) => "A software adapter computes, which is no GPU",
        () if is_gpu(&report.name) => "The GPU computes",
        () => "The processor computes",
    };
    crate::shared::words::sentence(&format!("{who}: {}", report.reason.trim()))
}

/// An adapter by its name, which says so when it is no GPU.
pub fn adapter(name: &str, software: bool) -> String {
    match software || is_software(name) {
        true => format!("{name}, a software adapter on the processor"),
        false => name.to_owned(),
    }
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

/// What is to be known about the check besides its figures: earlier visit, replaced kernels, time.
pub fn provenance(check: &Check) -> String {
    let kernels = format::counted(check.kernels, "kernel", "kernels");
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

    #[test]
    fn a_button_offers_only_what_would_change() {
        let loaded = Wish { context: 4_096, preference: Preference::Automatic, variant: None, threads: 0 };
        let got = |context| Got { context, threads: 2 };
        // The model got less than was asked for: asking for what it has changes nothing.
        assert_eq!(loaded.again(&loaded, got(2_048)), None);
        assert_eq!(Wish { context: 2_048, ..loaded.clone() }.again(&loaded, got(2_048)), None);
        let gpu = Wish { preference: Preference::Gpu, ..loaded.clone() };
        assert_eq!(gpu.again(&loaded, got(4_096)).as_deref(), Some("Load with the GPU"));
        let both = Wish { context: 512, variant: variant(" workgroup-float-64x1x1 "), ..gpu };
        assert_eq!(
            both.again(&loaded, got(4_096)).as_deref(),
            Some("Load with the GPU and the variant workgroup-float-64x1x1 and a context of 512 tokens")
        );
        // The processor has no variants.
        let cpu = Wish { preference: Preference::Cpu, variant: variant("x"), ..loaded.clone() };
        assert_eq!(cpu.again(&loaded, got(4_096)).as_deref(), Some("Load with the processor"));
        assert_eq!(variant("measured"), None);
        // Two threads are what the automatic number came to.
        let threads = |threads| Wish { threads, ..loaded.clone() }.again(&loaded, got(4_096));
        assert_eq!(threads(1).as_deref(), Some("Load with 1 thread"));
        assert_eq!(threads(2), None);
        assert_eq!(
            loaded
                .again(&Wish { threads: 1, ..loaded.clone() }, Got { context: 4_096, threads: 1 })
                .as_deref(),
            Some("Load with the automatic number of threads")
        );
    }
}
