//! Prompts of exact length, and what the model file says about the bytes that a token reads.

use std::fs::File;
use std::path::{Path, PathBuf};
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
    /// Only what the user says, in the template of the Gemma family: its file has none.
    gemma: bool,
}

impl Prompt {
    /// For engines that apply the template themselves.
    pub(crate) fn messages(&self) -> Value {
        let user = json!({ "role": "user", "content": self.user });
        if self.gemma {
            return json!([user]);
        }
        json!([{ "role": "system", "content": self.system }, user])
    }

    /// For the scripts beside this crate, of which so many tokens are wanted.
    pub(crate) fn job(&self, tokens: u32) -> Value {
        json!({ "prompt": self.templated(), "begin": self.gemma, "answer": tokens })
    }

    /// The text, where engines that apply the file's template find none in it.
    pub(crate) fn text(&self) -> Option<String> {
        self.gemma.then(|| self.templated())
    }

    /// With its template, for engines that do not apply it.
    fn templated(&self) -> String {
        if self.gemma {
            return format!("<start_of_turn>user\n{}<end_of_turn>\n<start_of_turn>model\n", self.user);
        }
        let turn = |role: &str, content: &str| format!("<|im_start|>{role}\n{content}<|im_end|>\n");
        turn("system", &self.system) + &turn("user", &self.user) + "<|im_start|>assistant\n"
    }

    /// Read before a measurement: another beginning, so that nothing of the next prompt but its first marks is cached.
    pub(crate) fn other(&self) -> Self {
        Self { system: "No.".to_owned(), user: "Yes.".to_owned(), gemma: self.gemma }
    }
}

/// Our own program, which counts tokens and lists tensors.
pub(crate) struct Nibble<'a> {
    pub(crate) paths: &'a Paths,
    pub(crate) model: PathBuf,
    /// Whether it is Gemma, whose file has no template.
    pub(crate) gemma: bool,
}

/// What `nibble tokenize --json` says.
#[derive(Deserialize)]
struct Tokens {
    ids: Vec<u32>,
    tokens: Vec<String>,
    count: u32,
}

/// What `nibble perplexity --json` says.
#[derive(Deserialize)]
struct Perplexity {
    perplexity: f64,
}

/// What the file says about reading: bytes of all tensors that a token reads, and of the cache per position.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Reads {
    pub(crate) weights: u64,
    pub(crate) cache_per_position: u64,
}

impl Nibble<'_> {
    fn command(&self) -> Command {
        let program = format!("debug/nibble{}", std::env::consts::EXE_SUFFIX);
        command::program(self.paths.target.join(program), &self.paths.root)
    }

    fn ask(&self, arguments: &[&str]) -> Result<String> {
        command::output(self.command().args(arguments))
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
            let length_now = usize::try_from(length).unwrap_or(0);
            let prompt = shaped(&pieces, length_now, wanted >= ROOMY, self.gemma);
            let count = self.tokens(&prompt.templated())?.count;
            if count == wanted {
                return Ok(prompt);
            }
            length += i64::from(wanted) - i64::from(count);
        }
        bail!("no prompt of exactly {wanted} tokens was found; does the template leave room for it?")
    }

    /// The ids of a file's text, and its perplexity over chunks of so many tokens.
    pub(crate) fn of_text(&self, text: &Path, chunk: u32) -> Result<(Vec<u32>, f64)> {
        let model = self.model.to_string_lossy();
        let mut tokenize = self.command();
        let read = File::open(text).with_context(|| format!("could not open {}", text.display()))?;
        let said = tokenize.args(["tokenize", "--json", "--model", &model]).stdin(read).output()?;
        let tokens: Tokens = serde_json::from_slice(&said.stdout)
            .with_context(|| format!("nibble tokenize: {}", String::from_utf8_lossy(&said.stderr)))?;
        let (text, chunk) = (text.to_string_lossy(), chunk.to_string());
        let said = self.ask(&["perplexity", &text, "--chunk", &chunk, "--json", "--model", &model])?;
        let Perplexity { perplexity } = serde_json::from_str(&said).context("nibble perplexity")?;
        Ok((tokens.ids, perplexity))
    }

    /// Bytes that a decoded token reads, as the tensors lie in the file.
    pub(crate) fn reads(&self) -> Result<Reads> {
        let model = self.model.to_string_lossy();
        let told: Value = serde_json::from_str(&self.ask(&["inspect", &model, "--tensors", "--json"])?)?;
        reads(&told).context("nibble inspect did not say what a token reads")
    }
}

/// The first `length` pieces of text as a prompt, with instructions and a task where there is room.
fn shaped(pieces: &[String], length: usize, roomy: bool, gemma: bool) -> Prompt {
    let text: String = pieces.iter().take(length).map(|piece| ascii(piece)).collect();
    let (system, task) = if roomy { (SYSTEM, TASK) } else { ("Hi", "") };
    Prompt { system: system.to_owned(), user: format!("{}{task}", text.trim()), gemma }
}

/// A token's spelling, in a byte-level vocabulary or in SentencePiece's, as ASCII text.
fn ascii(piece: &str) -> String {
    let letter = |letter| match letter {
        'Ġ' | '▁' => ' ',
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

    use super::{ascii, reads, shaped};

    #[test]
    fn pieces_become_a_prompt_again() {
        assert_eq!((ascii("Ġthe"), ascii("▁the")), (" the".to_owned(), " the".to_owned()));
        let pieces = ["ĊOne".to_owned(), "Ġtwo".to_owned(), "Ġthree".to_owned()];
        assert!(shaped(&pieces, 2, true, false).user.starts_with("One two What is"));
        let short = shaped(&pieces, 9, false, false);
        assert_eq!(short.user, "One two three");
        assert!(short.other().templated().ends_with("<|im_end|>\n<|im_start|>assistant\n"));
        let gemma = shaped(&pieces, 9, false, true);
        let written = "<start_of_turn>user\nOne two three<end_of_turn>\n<start_of_turn>model\n";
        assert_eq!((short.text(), gemma.text().as_deref()), (None, Some(written)));
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
