//! The WGSL modules, each put together from whole files at compile time.

/// Joins files of `shaders/` into one module.
macro_rules! module {
    ($($file:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("../../shaders/", $file, ".wgsl"))),+)
    };
}

/// Browsers want subgroups enabled in the text; naga has them without and does not know the word yet.
#[cfg(target_arch = "wasm32")]
macro_rules! subgroup_module {
    ($($file:literal),+ $(,)?) => { module!("shared/enable_subgroups", $($file),+) };
}
#[cfg(not(target_arch = "wasm32"))]
macro_rules! subgroup_module {
    ($($file:literal),+ $(,)?) => { module!($($file),+) };
}

/// One WGSL module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Module {
    MatvecFloat,
    MatvecPacked,
    MatvecFloatSubgroup,
    MatvecPackedSubgroup,
    Prepare,
    MatmulFloat,
    MatmulPacked,
    Embed,
    RopeAppend,
    Attend,
    Argmax,
    Sample,
}

impl Module {
    const ALL: [Self; 12] = [
        Self::MatvecFloat,
        Self::MatvecPacked,
        Self::MatvecFloatSubgroup,
        Self::MatvecPackedSubgroup,
        Self::Prepare,
        Self::MatmulFloat,
        Self::MatmulPacked,
        Self::Embed,
        Self::RopeAppend,
        Self::Attend,
        Self::Argmax,
        Self::Sample,
    ];

    /// The whole text.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::MatvecFloat => module!(
                "shared/batch",
                "shared/shape",
                "shared/weights",
                "shared/numbers",
                "shared/source",
                "shared/dot_float",
                "shared/reduce_workgroup",
                "matvec"
            ),
            Self::MatvecPacked => module!(
                "shared/batch",
                "shared/shape",
                "shared/weights",
                "shared/numbers",
                "shared/source",
                "shared/dot_packed",
                "shared/reduce_workgroup",
                "matvec"
            ),
            Self::MatvecFloatSubgroup => subgroup_module!(
                "shared/batch",
                "shared/shape",
                "shared/weights",
                "shared/numbers",
                "shared/source",
                "shared/dot_float",
                "shared/reduce_subgroup",
                "matvec"
            ),
            Self::MatvecPackedSubgroup => subgroup_module!(
                "shared/batch",
                "shared/shape",
                "shared/weights",
                "shared/numbers",
                "shared/source",
                "shared/dot_packed",
                "shared/reduce_subgroup",
                "matvec"
            ),
            Self::Prepare => {
                module!("shared/batch", "shared/shape", "shared/numbers", "shared/source", "prepare")
            }
            Self::MatmulFloat => module!(
                "shared/batch",
                "shared/shape",
                "shared/weights",
                "shared/numbers",
                "shared/dot_float",
                "matmul"
            ),
            Self::MatmulPacked => module!(
                "shared/batch",
                "shared/shape",
                "shared/weights",
                "shared/numbers",
                "shared/dot_packed",
                "matmul"
            ),
            Self::Embed => module!("shared/batch", "shared/shape", "shared/weights", "embed"),
            Self::RopeAppend => module!("shared/batch", "shared/cache", "rope_append"),
            Self::Attend => module!("shared/batch", "shared/cache", "attend"),
            Self::Argmax => module!("shared/batch", "shared/choice", "argmax"),
            Self::Sample => module!("shared/batch", "shared/choice", "sample"),
        }
    }
}

/// Name and whole text of every module, for validators.
pub fn shaders() -> Vec<(String, &'static str)> {
    Module::ALL.into_iter().map(|module| (format!("{module:?}"), module.source())).collect()
}

/// Fingerprint of the kernels: what was found out about one set of them holds for no other.
pub fn build() -> String {
    // Fixed keys: the same text gives the same fingerprint in every process.
    let hash = ahash::RandomState::with_seeds(1, 2, 3, 4).hash_one(shaders());
    format!("{}-{hash:016x}", env!("CARGO_PKG_VERSION"))
}
