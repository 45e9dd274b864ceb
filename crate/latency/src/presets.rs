//! The clouds that come with the page, as dated data in `presets/`: one file a cloud, its figures by path, and
//! the sources that they name.

use std::collections::BTreeMap;

use figures::{Figure, Kind};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::cloud::{Preset, Published};
use crate::objective::Slo;

const SOURCES: &str = include_str!("../presets/sources.json");
const DECOMPOSED: [&str; 5] = [
    include_str!("../presets/decomposed/nearby-region.json"),
    include_str!("../presets/decomposed/cross-continent.json"),
    include_str!("../presets/decomposed/mobile-4g.json"),
    include_str!("../presets/decomposed/serverless.json"),
    include_str!("../presets/decomposed/busy-hour.json"),
];
const END_TO_END: [&str; 4] = [
    include_str!("../presets/end-to-end/article-fast.json"),
    include_str!("../presets/end-to-end/article-slow.json"),
    include_str!("../presets/end-to-end/article-serverless.json"),
    include_str!("../presets/end-to-end/hosted-7b-2023.json"),
];

const SLOS: [&str; 3] = [
    include_str!("../presets/slo/interactive.json"),
    include_str!("../presets/slo/conversational.json"),
    include_str!("../presets/slo/article-50.json"),
];

/// Decomposed presets: network apart from server. The first is the default.
pub fn all() -> Vec<Preset> {
    DECOMPOSED.iter().map(|text| read(text)).collect()
}

/// End-to-end presets: published times that include the network.
pub fn published() -> Vec<Published> {
    END_TO_END.iter().map(|text| read(text)).collect()
}

/// Objectives: interactive, conversational, the article's.
pub fn slos() -> Vec<Slo> {
    SLOS.iter().map(|text| read(text)).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    label: String,
    figures: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    value: f64,
    unit: String,
    low: f64,
    high: f64,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    kind: Kind,
    retrieved: String,
    text: String,
}

/// Our own files: that they can be read is tested, so that a visitor never sees these panics.
fn read<P: DeserializeOwned>(text: &str) -> P {
    let sources: BTreeMap<String, Source> = json("sources.json", SOURCES);
    let file: File = json("a preset", text);
    let figures: Vec<Figure> =
        file.figures.into_iter().map(|(key, entry)| figure(key, entry, &sources)).collect();
    let mut preset = Map::new();
    for Figure { key, value, .. } in &figures {
        put(&mut preset, key, (*value).into());
    }
    preset.insert("id".into(), file.id.clone().into());
    preset.insert("label".into(), file.label.into());
    preset.insert("sources".into(), distinct_sources(&figures).into());
    preset.insert("retrieved".into(), latest_date(&figures).into());
    let figures = serde_json::to_value(figures).unwrap_or_default();
    preset.insert("figures".into(), figures);
    serde_json::from_value(preset.into()).unwrap_or_else(|error| panic!("preset {}: {error}", file.id))
}

fn json<T: DeserializeOwned>(name: &str, text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Distinct sources of these figures, in order.
fn distinct_sources(figures: &[Figure]) -> Vec<String> {
    let mut sources: Vec<String> = Vec::new();
    for figure in figures {
        if !sources.contains(&figure.source) {
            sources.push(figure.source.clone());
        }
    }
    sources
}

/// The latest date among them.
fn latest_date(figures: &[Figure]) -> String {
    figures.iter().map(|figure| figure.retrieved.clone()).max().unwrap_or_default()
}

fn figure(key: String, entry: Entry, sources: &BTreeMap<String, Source>) -> Figure {
    let Entry { value, unit, low, high, source } = entry;
    let Source { kind, retrieved, text } =
        sources.get(&source).unwrap_or_else(|| panic!("{key}: no source is called {source}"));
    Figure { key, value, unit, low, high, source: text.clone(), retrieved: retrieved.clone(), kind: *kind }
}

/// Puts a value at a path such as `cold_start.time.p50`.
fn put(object: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            object.insert(path.into(), value);
        }
        Some((head, rest)) => {
            let inner = object.entry(head).or_insert_with(|| Map::new().into());
            if let Some(inner) = inner.as_object_mut() {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_dated_sourced_and_within_its_range() {
        let mut figures: Vec<Figure> = all().into_iter().flat_map(|preset| preset.figures).collect();
        figures.extend(published().into_iter().flat_map(|preset| preset.figures));
        figures.extend(slos().into_iter().flat_map(|slo| slo.figures));
        assert!(figures.len() > 100, "{}", figures.len());
        for figure in figures {
            let Figure { key, value, low, high, retrieved, source, unit, .. } = &figure;
            assert!(low <= value && value <= high, "{key}: {low} <= {value} <= {high}");
            let date = retrieved.split('-').map(str::len).collect::<Vec<_>>();
            assert!(date == [4, 2, 2] && source.len() > 40 && !unit.is_empty(), "{key}");
        }
    }

    #[test]
    fn the_articles_ranges_are_end_to_end_and_marked_as_its_claim() {
        let presets = published();
        let ends: Vec<_> = presets.iter().take(2).map(|p| (p.first_token.p50, p.first_token.p99)).collect();
        assert_eq!(ends, [(80.0, 400.0), (250.0, 1200.0)]);
        let first = presets[0].figures.iter().find(|figure| figure.key == "first_token.p50").unwrap();
        assert_eq!((first.kind, first.low, first.high), (Kind::SeedClaim, 80.0, 250.0));
    }

    #[test]
    fn names_are_given_once() {
        let mut ids: Vec<String> = all().into_iter().map(|preset| preset.id).collect();
        ids.extend(published().into_iter().map(|preset| preset.id));
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), count), (9, 9));
    }
}
