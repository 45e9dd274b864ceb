//! The clouds that come with the page, as dated data in `presets/`.

use crate::cloud::Preset;

const FILES: [(&str, &str); 3] = [
    ("nearby-region.json", include_str!("../presets/nearby-region.json")),
    ("cross-continent.json", include_str!("../presets/cross-continent.json")),
    ("mobile-4g.json", include_str!("../presets/mobile-4g.json")),
];

/// All of them; the first is the default.
pub fn all() -> Vec<Preset> {
    FILES
        .iter()
        .map(|(name, text)| {
            serde_json::from_str(text).unwrap_or_else(|error| panic!("presets/{name}: {error}"))
        })
        .collect()
}
