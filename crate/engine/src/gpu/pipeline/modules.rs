//! The WGSL modules, each put together from whole files at compile time, with the shared constants in front.

use crate::gpu::geometry;

/// Joins files of `shaders/` into one module.
macro_rules! module {
    ($($file:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("../../../shaders/", $file, ".wgsl"))),+)
    };
}

/// A matvec by its dot product and its reduction.
macro_rules! matvec {
    ($dot:literal, $reduce:literal) => {
        module!(
            "shared/batch",
            "shared/shape",
            "shared/weights",
            "shared/numbers",
            "shared/source",
            "shared/epilogue",
            $dot,
            $reduce,
            "matvec"
        )
    };
}

/// A matmul by its dot product.
macro_rules! matmul {
    ($dot:literal) => {
        module!(
            "shared/batch",
            "shared/shape",
            "shared/weights",
            "shared/numbers",
            "shared/epilogue",
            $dot,
            "matmul"
        )
    };
}

/// Browsers want subgroups enabled in the text; naga has them without and does not know the word yet.
const ENABLE_SUBGROUPS: &str =
    if cfg!(target_arch = "wasm32") { module!("shared/enable_subgroups") } else { "" };

/// One WGSL module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::gpu) enum Module {
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
    AddNormed,
    Argmax,
    Sample,
}

impl Module {
    /// The whole text.
    pub(super) fn source(self) -> String {
        let (directive, text) = match self {
            Self::MatvecFloat => ("", matvec!("shared/dot_float", "shared/reduce_workgroup")),
            Self::MatvecPacked => ("", matvec!("shared/dot_packed", "shared/reduce_workgroup")),
            Self::MatvecFloatSubgroup => {
                (ENABLE_SUBGROUPS, matvec!("shared/dot_float", "shared/reduce_subgroup"))
            }
            Self::MatvecPackedSubgroup => {
                (ENABLE_SUBGROUPS, matvec!("shared/dot_packed", "shared/reduce_subgroup"))
            }
            Self::Prepare => {
                ("", module!("shared/batch", "shared/shape", "shared/numbers", "shared/source", "prepare"))
            }
            Self::MatmulFloat => ("", matmul!("shared/dot_float")),
            Self::MatmulPacked => ("", matmul!("shared/dot_packed")),
            Self::Embed => ("", module!("shared/batch", "shared/shape", "shared/weights", "embed")),
            Self::RopeAppend => ("", module!("shared/batch", "shared/cache", "rope_append")),
            Self::Attend => ("", module!("shared/batch", "shared/cache", "attend")),
            Self::AddNormed => ("", module!("shared/batch", "add_normed")),
            Self::Argmax => ("", module!("shared/batch", "shared/choice", "argmax")),
            Self::Sample => ("", module!("shared/batch", "shared/choice", "sample")),
        };
        [directive, &geometry::wgsl(), text].concat()
    }
}
