//! Every module as data, for validators, and the fingerprint of all.

use super::kernel::Kernel;

/// One WGSL module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shader {
    /// Name of the module.
    pub name: String,
    /// The whole text.
    pub source: String,
    /// Entry points that are dispatched.
    pub entry_points: Vec<&'static str>,
    /// Overrides that its pipelines set.
    pub overrides: Vec<&'static str>,
}

/// Every module.
pub fn shaders() -> Vec<Shader> {
    let mut shaders: Vec<Shader> = Vec::new();
    for kernel in Kernel::every_entry_point() {
        let (module, entry_point) = kernel.module();
        let name = format!("{module:?}");
        match shaders.iter_mut().find(|shader| shader.name == name) {
            Some(shader) => shader.entry_points.push(entry_point),
            None => shaders.push(Shader {
                name,
                source: module.source(),
                entry_points: vec![entry_point],
                overrides: kernel.constants(0, true).into_iter().map(|(name, _)| name).collect(),
            }),
        }
    }
    shaders
}

/// Fingerprint of the kernels: what was found out about one set of them holds for no other.
pub fn build() -> String {
    // Fixed keys: the same text gives the same fingerprint in every process.
    let hash = ahash::RandomState::with_seeds(1, 2, 3, 4).hash_one(shaders());
    format!("{}-{hash:016x}", env!("CARGO_PKG_VERSION"))
}
