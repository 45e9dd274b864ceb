//! Prompts of exact length, and what the model file says about the bytes that a token reads.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xtask::command;
use xtask::paths::Paths;

const SYSTEM: &str = "You are a helpful assistant who writes clearly.";

/// Ends a prompt that has room for it, so that the answer is long.
const TASK: &str = " What is photosynthesis? Explain it in several simple sentences.";

/// Where the text of long prompts comes from; a committed file of the tests.
const TEXT: &str = include_str!("../../../tests/golden/english.txt");

/// Begins what a long prompt reads.
const OPENING: &str = "I am preparing a short lesson for children of about ten years, and I would like to begin with \
    the basics before we walk in the garden. They have already heard that plants need light, water and air, that \
    leaves are green, and that roots hold a plant in the ground. They have not yet heard how a plant makes its own \
    food. Here is a story that we read last week. ";

/// Tokens below which a prompt has room for neither instructions nor a task.
const ROOMY: u32 = 64;

/// A conversation with one question.
#[derive(Clone, Debug)]
pub(crate) struct Prompt {
    system: String,
    user: String,
}

impl Prompt {
    /// For engines that apply the template themselves.
    pub(crate) fn messages(&self) -> Value {
        json!([{ "role": "system", "content": self.system }, { "role": "user", "content": self.user }])
    }

    /// With the default model's template, for engines that do not.
    pub(crate) fn templated(&self) -> String {
        let turn = |role: &str, content: &str| format!("<|im_start|>{role}\n{content}<|im_end|>\n");
        turn("system", &self.system) + &turn("user", &self.user) + "<|im_start|>assistant\n"
    }

    /// Read before a measurement: another beginning, so that nothing of the next prompt but its first marks is cached.
    pub(crate) fn other() -> Self {
        Self { system: "No.".to_owned(), user: "Yes.".to_owned() }
    }
}

/// Our own program, which counts tokens and lists tensors.
pub(crate) struct Nibble<'a> {
    pub(crate) paths: &'a Paths,
    pub(crate) model: PathBuf,
}

/// What `nibble tokenize --json` says.
#[derive(Deserialize)]
struct Tokens {
    tokens: Vec<String>,
    count: u32,
}

/// What the file says about reading: bytes of all tensors that a token reads, and of the cache per position.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Reads {
    pub(crate) weights: u64,
    pub(crate) cache_per_position: u64,
}

impl Nibble<'_> {
    fn ask(&self, arguments: &[&str]) -> Result<String> {
        let program = format!("debug/nibble{}", std::env::consts::EXE_SUFFIX);
        let mut nibble: Command = command::program(self.paths.target.join(program), &self.paths.root);
        nibble.args(arguments);
        command::output(&mut nibble)
    }

    fn tokens(&self, text: &str) -> Result<Tokens> {
        let model = self.model.to_string_lossy();
        let printed = self.ask(&["tokenize", "--special", "--json", "--model", &model, text])?;
        serde_json::from_str(&printed).context("nibble tokenize printed something else than tokens")
    }

    /// A prompt of exactly `wanted` tokens with its template.
    pub(crate) fn prompt(&self, wanted: u32) -> Result<Prompt> {
        let pieces = self.tokens(&format!("{OPENING}{TEXT}{TEXT}{TEXT}"))?.tokens;
        // Each try is off by what a cut in mid-word changes; that settles at once or after a few.
        let mut length = i64::from(wanted);
        for _ in 0..12 {
            let prompt = shaped(&pieces, usize::try_from(length).unwrap_or(0), wanted >= ROOMY);
            let count = self.tokens(&prompt.templated())?.count;
            if count == wanted {
                return Ok(prompt);
            }
            length += i64::from(wanted) - i64::from(count);
        }
        bail!("no prompt of exactly {wanted} tokens was found; does the template leave room for it?")
    }

    /// Bytes that a decoded token reads, as the tensors lie in the file.
    pub(crate) fn reads(&self) -> Result<Reads> {
        let model = self.model.to_string_lossy();
        let told: Value = serde_json::from_str(&self.ask(&["inspect", &model, "--tensors", "--json"])?)?;
        reads(&told).context("nibble inspect did not say what a token reads")
    }
}

/// The first `length` pieces of text as a prompt, with instructions and a task where there is room.
fn shaped(pieces: &[String], length: usize, roomy: bool) -> Prompt {
    let text: String = pieces.iter().take(length).map(|piece| plain(piece)).collect();
    let (system, task) = if roomy { (SYSTEM, TASK) } else { ("Hi", "") };
    Prompt { system: system.to_owned(), user: format!("{}{task}", text.trim()) }
}

/// A piece of a byte-level vocabulary as ASCII text.
fn plain(piece: &str) -> String {
    let letter = |letter| match letter {
        'Ġ' => ' ',
        'Ċ' => '\n',
        other => other,
    };
    piece.chars().map(letter).filter(char::is_ascii).collect()
}

fn reads(told: &Value) -> Option<Reads> {
    let tensors = told["tensors"].as_array()?;
    let name = |tensor: &Value| tensor["name"].as_str().unwrap_or_default().to_owned();
    // A table that is only looked up is not read; one that is also the head is.
    let untied = tensors.iter().any(|tensor| name(tensor) == "output.weight");
    let read = tensors.iter().filter(|tensor| !(untied && name(tensor) == "token_embd.weight"));
    let weights = read.map(|tensor| tensor["bytes"].as_u64().unwrap_or(0)).sum();
    let keys = tensors.iter().find(|tensor| name(tensor) == "blk.0.attn_k.weight")?;
    let elements: u64 = keys["shape"].as_array()?.iter().filter_map(Value::as_u64).product();
    // Keys and values, in halves.
    let cache_per_position = elements / told["width"].as_u64()? * told["layers"].as_u64()? * 4;
    Some(Reads { weights, cache_per_position })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Prompt, plain, reads, shaped};

    #[test]
    fn pieces_become_a_prompt_again() {
        assert_eq!(plain("Ġthe"), " the");
        let pieces = ["ĊOne".to_owned(), "Ġtwo".to_owned(), "Ġthree".to_owned()];
        assert!(shaped(&pieces, 2, true).user.starts_with("One two What is"));
        assert_eq!(shaped(&pieces, 9, false).user, "One two three");
        assert!(Prompt::other().templated().ends_with("<|im_end|>\n<|im_start|>assistant\n"));
    }

    #[test]
    fn a_tied_table_is_read_and_one_beside_a_head_is_not() {
        let tensor = |name: &str, bytes: u64| json!({ "name": name, "bytes": bytes, "shape": [4, 8] });
        let mut tensors = vec![tensor("token_embd.weight", 100), tensor("blk.0.attn_k.weight", 10)];
        let told = |tensors: &[serde_json::Value]| json!({ "tensors": tensors, "width": 8, "layers": 3 });
        let tied = reads(&told(&tensors)).unwrap();
        assert_eq!((tied.weights, tied.cache_per_position), (110, 4 * 3 * 4));
        tensors.push(tensor("output.weight", 50));
        assert_eq!(reads(&told(&tensors)).unwrap().weights, 60);
    }
}
