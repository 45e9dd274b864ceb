//! Prompts to measure with: written for this project, in the five categories and with the aggregation of MLPerf
//! Client, whose results these are not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stats::geometric_mean;

const PROMPTS: &str = include_str!("../../data/corpus.json");

/// Category of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// A text for a purpose.
    ContentGeneration,
    /// A story, a poem.
    CreativeWriting,
    /// Fewer words for many.
    Summarisation,
    /// JSON, tables, classes.
    StructuredText,
    /// Explaining code and its faults.
    CodeAnalysis,
}

impl Category {
    /// All, in order.
    pub const ALL: [Self; 5] = [
        Self::ContentGeneration,
        Self::CreativeWriting,
        Self::Summarisation,
        Self::StructuredText,
        Self::CodeAnalysis,
    ];

    /// Name in exports and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::ContentGeneration => "content-generation",
            Self::CreativeWriting => "creative-writing",
            Self::Summarisation => "summarisation",
            Self::StructuredText => "structured-text",
            Self::CodeAnalysis => "code-analysis",
        }
    }

    /// Name on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::ContentGeneration => "Content generation",
            Self::CreativeWriting => "Creative writing",
            Self::Summarisation => "Summarisation",
            Self::StructuredText => "Structured text",
            Self::CodeAnalysis => "Code analysis",
        }
    }
}

/// One prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Short name, in exports.
    pub id: String,
    /// Category.
    pub category: Category,
    /// The prompt itself.
    pub text: String,
    /// Most tokens of the answer.
    pub max_tokens: u32,
}

/// All prompts, three a category, in the order to run them in: categories in turn, so that a run cut short has
/// some of each.
pub fn prompts() -> Vec<Prompt> {
    let all: Vec<Prompt> =
        serde_json::from_str(PROMPTS).unwrap_or_else(|error| panic!("data/corpus.json: {error}"));
    let mut queues: BTreeMap<Category, Vec<Prompt>> = BTreeMap::new();
    for prompt in all {
        queues.entry(prompt.category).or_default().push(prompt);
    }
    let longest = queues.values().map(Vec::len).max().unwrap_or_default();
    (0..longest).flat_map(|turn| queues.values().filter_map(move |queue| queue.get(turn)).cloned()).collect()
}

/// Arithmetic mean within a category; `None` without values.
pub fn mean(values: &[(Category, f64)], category: Category) -> Option<f64> {
    let of: Vec<f64> = values.iter().filter(|(c, _)| *c == category).map(|(_, value)| *value).collect();
    (!of.is_empty()).then(|| of.iter().sum::<f64>() / of.len() as f64)
}

/// One figure for all categories: the arithmetic mean within each, and the geometric mean of those. `None` until
/// every category has a value.
pub fn overall(values: &[(Category, f64)]) -> Option<f64> {
    let means: Option<Vec<f64>> = Category::ALL.into_iter().map(|category| mean(values, category)).collect();
    geometric_mean(&means?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_prompts_in_each_of_five_categories() {
        let prompts = prompts();
        assert_eq!(prompts.len(), 15);
        let first: Vec<_> = prompts.iter().take(5).map(|prompt| prompt.category).collect();
        assert_eq!(first, Category::ALL);
        for prompt in &prompts {
            assert!(prompt.text.len() > 80 && (32..=256).contains(&prompt.max_tokens), "{}", prompt.id);
            let category = serde_json::to_value(prompt.category).unwrap();
            assert_eq!(category, prompt.category.id());
        }
        let mut ids: Vec<_> = prompts.iter().map(|prompt| &prompt.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 15);
    }

    #[test]
    fn the_overall_figure_is_the_geometric_mean_of_category_means() {
        let mut values: Vec<_> = Category::ALL.into_iter().map(|category| (category, 2.0)).collect();
        assert!((overall(&values).unwrap() - 2.0).abs() < 1e-12);
        values.push((Category::CodeAnalysis, 126.0));
        // A mean of 64 in one of five categories: 2 · 32^(1/5).
        assert!((overall(&values).unwrap() - 4.0).abs() < 1e-12);
        assert_eq!(overall(&values[..4]), None);
    }
}
