//! Options of a load: context, backend, variant of the kernels, threads, precision.

use protocol::{Precision, Preference};

use crate::shared::format;

/// A choice of the backend: stable name, what the list shows, and what it is called in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The preference sent to the engine.
    pub preference: Preference,
    /// Value in the list, for tests.
    pub key: &'static str,
    /// Label in the list.
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

/// Text of the variant field when a measurement chooses.
pub const MEASURED: &str = "measured";

/// The variant that is typed; `None` where a measurement is to choose.
pub fn variant(typed: &str) -> Option<String> {
    let typed = typed.trim();
    (!typed.is_empty() && typed != MEASURED).then(|| typed.to_owned())
}

/// Options that a model was, or would be, loaded with.
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
    /// How finely activations are quantised while prompts are read.
    pub reading: Precision,
}

/// The options that a load could grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Got {
    /// Positions of the context.
    pub context: u32,
    /// Threads that compute on the processor.
    pub threads: u32,
}

impl Wish {
    /// Label of a button that loads again with this wish; `None` where nothing would change. `loaded` is what
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
        if self.reading != loaded.reading && self.preference != Preference::Gpu {
            changes.push(match self.reading {
                Precision::Eight => "prompts read in 8 bits".to_owned(),
                Precision::Fourteen => "prompts read in 14 bits".to_owned(),
            });
        }
        // A model that was trained on less than was asked for got less.
        if self.context != loaded.context && self.context != got.context {
            changes.push(format!("a context of {} tokens", format::count(f64::from(self.context))));
        }
        (!changes.is_empty()).then(|| format!("Load with {}", changes.join(" and ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_offers_only_what_would_change() {
        let loaded = Wish {
            context: 4_096,
            preference: Preference::Automatic,
            variant: None,
            threads: 0,
            reading: Precision::Eight,
        };
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
        // A GPU quantises no activations.
        let fine = Wish { reading: Precision::Fourteen, ..loaded.clone() };
        assert_eq!(fine.again(&loaded, got(4_096)).as_deref(), Some("Load with prompts read in 14 bits"));
        let on_gpu = Wish { preference: Preference::Gpu, ..loaded.clone() };
        assert_eq!(Wish { reading: Precision::Fourteen, ..on_gpu.clone() }.again(&on_gpu, got(4_096)), None);
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
