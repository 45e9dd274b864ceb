//! Names of backends and adapters, and what can be told from them.

/// Whether a backend's name is that of a GPU backend.
pub fn is_gpu(name: &str) -> bool {
    name.starts_with("webgpu")
}

/// Whether a backend's name says that its adapter is a program on the processor.
pub fn on_software(name: &str) -> bool {
    name.ends_with("(software)")
}

/// An adapter by its name, which says so when it is no GPU.
pub fn adapter(name: &str, software: bool) -> String {
    match software || protocol::is_software(name) {
        true => format!("{name}, a software adapter on the processor"),
        false => name.to_owned(),
    }
}
