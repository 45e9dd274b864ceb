//! The WGSL modules, each put together from whole files at compile time.

/// Joins files of `shaders/` into one module.
macro_rules! module {
    ($($file:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("../../shaders/", $file, ".wgsl"))),+)
    };
}

/// A matvec by its dot product and its reduction.
macro_rules! matvec {
    ($dot:literal, $($reduce:literal),+) => {
        module!("shared/batch", "shared/shape", "shared/weights", "shared/numbers", "shared/source", $dot, $($reduce),+)
    };
}

/// A matmul by its dot product.
macro_rules! matmul {
    ($dot:literal) => {
        module!("shared/batch", "shared/shape", "shared/weights", "shared/numbers", $dot, "matmul")
    };
}

/// Browsers want subgroups enabled in the text; naga has them without and does not know the word yet.
#[cfg(target_arch = "wasm32")]
macro_rules! with_subgroups {
    ($dot:literal) => {
        concat!(module!("shared/enable_subgroups"), matvec!($dot, "shared/reduce_subgroup", "matvec"))
    };
}
#[cfg(not(target_arch = "wasm32"))]
macro_rules! with_subgroups {
    ($dot:literal) => {
        matvec!($dot, "shared/reduce_subgroup", "matvec")
    };
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
            Self::MatvecFloat => matvec!("shared/dot_float", "shared/reduce_workgroup", "matvec"),
            Self::MatvecPacked => matvec!("shared/dot_packed", "shared/reduce_workgroup", "matvec"),
            Self::MatvecFloatSubgroup => with_subgroups!("shared/dot_float"),
            Self::MatvecPackedSubgroup => with_subgroups!("shared/dot_packed"),
            Self::Prepare => {
                module!("shared/batch", "shared/shape", "shared/numbers", "shared/source", "prepare")
            }
            Self::MatmulFloat => matmul!("shared/dot_float"),
            Self::MatmulPacked => matmul!("shared/dot_packed"),
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
