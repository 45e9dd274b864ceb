//! The files of presets.

macro_rules! file {
    ($name:literal) => {
        parse($name, include_str!(concat!("../../presets/", $name)))
    };
}
pub(super) use file;

/// A file of ours; one that cannot be read is our own bug, and tests read them all.
pub(super) fn parse<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("presets/{name}: {error}"))
}
