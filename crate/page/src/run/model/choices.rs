//! The models that can be loaded: the catalogue's and those stored in this browser, each once.

use protocol::{Models, Needs, Origin, Record, Source, Stored};

use crate::run::model::catalogue::Entry;

/// Hex digits of the hash in a stored file's name.
const PREFIX: usize = 16;

/// A model that can be loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Name in storage, whether it is stored or not: the same for the same bytes.
    pub key: String,
    /// Name to show.
    pub name: String,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// The numbers that its memory follows from, where they are known.
    pub needs: Option<Needs>,
    /// Whether all of it is in this browser's storage.
    pub stored: bool,
    /// The catalogue's entry, where it is one.
    pub entry: Option<Entry>,
}

impl Choice {
    /// The source that the worker is asked to load.
    pub fn source(&self) -> Source {
        match &self.entry {
            Some(entry) => entry.source(),
            None => Source::Stored { id: self.key.clone() },
        }
    }

    /// File name.
    pub fn file(&self) -> &str {
        match &self.entry {
            Some(entry) => &entry.file,
            None => &self.name,
        }
    }
}

/// Every model, the catalogue's first.
pub fn choices(entries: &[Entry], models: &Models) -> Vec<Choice> {
    let stored = |key: &str| models.models.iter().find(|model| model.id == key);
    let mut all: Vec<Choice> = entries
        .iter()
        .map(|entry| {
            let key = key(entry);
            let here = stored(&key);
            Choice {
                name: entry.name.clone(),
                bytes: entry.bytes,
                needs: record(here).and_then(|record| record.needs).or(entry.needs),
                stored: here.is_some_and(|model| model.bytes == entry.bytes),
                entry: Some(entry.clone()),
                key,
            }
        })
        .collect();
    for model in &models.models {
        if let Some(record) = record(Some(model)).filter(|_| is_whole(model))
            && all.iter().all(|known| known.key != model.id)
        {
            all.push(Choice {
                key: model.id.clone(),
                name: model.file.clone(),
                bytes: record.bytes,
                needs: record.needs,
                stored: true,
                entry: None,
            });
        }
    }
    all
}

fn record(model: Option<&Stored>) -> Option<&Record> {
    model.and_then(|model| model.record.as_ref())
}

/// Name in storage of a model of the catalogue.
pub fn key(entry: &Entry) -> String {
    let short: String = entry.sha256.chars().take(PREFIX).collect();
    format!("{}.{short}", entry.file)
}

/// Whether all of a stored model is here.
pub fn is_whole(model: &Stored) -> bool {
    model.record.as_ref().is_some_and(|record| record.bytes == model.bytes)
}

/// Where a stored model came from, in a few words.
pub fn origin(model: &Stored) -> String {
    match model.record.as_ref().map(|record| &record.origin) {
        Some(Origin::Site { .. }) => "from this site".to_owned(),
        Some(Origin::File) => "a file you chose".to_owned(),
        None => "kept by an earlier version of this page".to_owned(),
    }
}

/// When it was loaded last, in a few words. Both in ms since the Unix epoch.
pub fn last_used(used_ms: Option<f64>, now_ms: f64) -> String {
    const MINUTE: f64 = 60_000.0;
    let plural = |count: f64, unit: &str| {
        let count = count.floor();
        format!("used {count:.0} {unit}{} ago", if count == 1.0 { "" } else { "s" })
    };
    let Some(used) = used_ms.filter(|used| used.is_finite()) else { return "not used yet".to_owned() };
    match (now_ms - used) / MINUTE {
        minutes if minutes < 2.0 => "used just now".to_owned(),
        minutes if minutes < 60.0 => plural(minutes, "minute"),
        minutes if minutes < 24.0 * 60.0 => plural(minutes / 60.0, "hour"),
        minutes => plural(minutes / (24.0 * 60.0), "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(file: &str) -> Entry {
        Entry {
            id: file.to_owned(),
            name: format!("The {file}"),
            license: "MIT".to_owned(),
            file: file.to_owned(),
            bytes: 100,
            sha256: "0123456789abcdef".repeat(4),
            source: "here".to_owned(),
            architecture: "llama".to_owned(),
            quantization: "Q4_1".to_owned(),
            url: format!("models/{file}"),
            needs: None,
            default: false,
        }
    }

    fn stored(file: &str, bytes: u64, origin: Option<Origin>) -> Stored {
        let record = origin.map(|origin| Record {
            file: file.to_owned(),
            bytes: 100,
            sha256: "0123456789abcdef".repeat(4),
            parts: Vec::new(),
            origin,
            used_ms: None,
            needs: Some(Needs { weights: 90, kv_bytes_per_token: 1, context: 8, work: None }),
        });
        Stored { id: format!("{file}.0123456789abcdef"), file: file.to_owned(), bytes, record }
    }

    #[test]
    fn a_model_is_offered_once_wherever_it_lies() {
        let site = || Some(Origin::Site { url: "models/a".to_owned() });
        let models = vec![
            stored("a.gguf", 100, site()),
            stored("b.gguf", 40, site()),
            stored("mine.gguf", 100, Some(Origin::File)),
            // A half without a catalogue that could complete it, and one of which nothing is known.
            stored("half.gguf", 40, site()),
            stored("old.gguf", 100, None),
        ];
        let all = choices(&[entry("a.gguf"), entry("b.gguf")], &Models { models, ..Models::default() });
        let shown: Vec<_> = all.iter().map(|choice| (choice.name.as_str(), choice.stored)).collect();
        assert_eq!(shown, [("The a.gguf", true), ("The b.gguf", false), ("mine.gguf", true)]);
        assert!(matches!(all[0].source(), Source::Url { .. }) && all[0].needs.is_some());
        assert_eq!(all[2].source(), Source::Stored { id: "mine.gguf.0123456789abcdef".to_owned() });
    }

    #[test]
    fn times_are_told_in_words() {
        let now = 1e12;
        let ago = |minutes: f64| last_used(Some(now - minutes * 60_000.0), now);
        assert_eq!(last_used(None, now), "not used yet");
        assert_eq!(ago(0.0), "used just now");
        assert_eq!(ago(5.5), "used 5 minutes ago");
        assert_eq!(ago(61.0), "used 1 hour ago");
        assert_eq!(ago(60.0 * 24.0 * 3.0), "used 3 days ago");
    }
}
