//! How a text is cut before merging: what each name of `tokenizer.ggml.pre` stands for, after llama.cpp's table
//! (`src/llama-vocab.cpp`) and the `tokenizer.json` of the models.
//!
//! Expressions stand here without the look-ahead that they all end in, `\s+(?!\S)|\s+`: of white space in front
//! of a word the last character goes with the word or stands alone. [`Cut::pieces`] does that, so that a text
//! of any kind is cut in time linear in its length.

use regex::Regex;

use crate::error::{Error, Result};
use crate::gguf::Metadata;

/// One cut: what its expression matches is a piece, and so is what lies between; the next cut goes on with each.
#[derive(Clone, Copy)]
enum Split {
    /// Nothing but the expression.
    Only(&'static str),
    /// Words, then white space.
    Words(&'static str),
    /// Words, then white space that ends in line breaks, then other white space.
    Lines(&'static str),
}
use Split::{Lines, Only, Words};

/// Names that mean the same, and what they mean.
struct Row {
    names: &'static [&'static str],
    splits: &'static [Split],
    /// Whether a piece that is a token stays whole, whatever merges would make of it.
    keeps_words: bool,
    /// Whether a text begins with the beginning token unless the file says otherwise.
    adds_bos: bool,
}

const GPT_2: Split = Words(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+");
const LLAMA_3: Split =
    Lines(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*");
const QWEN_2: Split =
    Lines(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*");
const EACH_DIGIT: Split = Only(r"\p{N}");
const THREE_DIGITS: Split = Only(r"[0-9][0-9][0-9]");
const LINE_BREAK: Split = Only(r"[\r\n]");

const fn row(names: &'static [&'static str], splits: &'static [Split]) -> Row {
    Row { names, splits, keeps_words: false, adds_bos: false }
}

const TABLE: &[Row] = &[
    row(&["default"], &[Only(r"[\p{P}$+<=>^~|]+"), GPT_2, Only(r"\p{N}+"), THREE_DIGITS]),
    row(
        &[
            "gpt-2",
            "phi-2",
            "mpt",
            "olmo",
            "jais",
            "trillion",
            "granite-docling",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "exaone4",
        ],
        &[GPT_2],
    ),
    row(
        &["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"],
        &[EACH_DIGIT, GPT_2],
    ),
    Row {
        names: &["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
        splits: &[LLAMA_3],
        keeps_words: true,
        adds_bos: true,
    },
    Row { keeps_words: true, ..row(&["glm4"], &[LLAMA_3]) },
    row(&["dbrx", "smaug-bpe", "chatglm-bpe"], &[LLAMA_3]),
    row(
        &["qwen2", "deepseek-r1-qwen", "kormo", "megrez", "stablelm2", "hunyuan", "solar-open", "grok-2"],
        &[QWEN_2],
    ),
    row(
        &["qwen35"],
        &[Lines(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*",
        )],
    ),
    row(&["ufakzeka"], &[Lines(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*")]),
    row(
        &["bailingmoe", "bailingmoe2", "llada-moe"],
        &[Lines(r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*")],
    ),
    row(
        &["seed-coder"],
        &[Lines(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+")],
    ),
    row(
        &["exaone-moe"],
        &[Lines(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?",
        )],
    ),
    Row {
        keeps_words: true,
        ..row(
            &["minicpm5"],
            &[
                Only(r"\p{N}{1,3}"),
                Lines(
                    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*",
                ),
            ],
        )
    },
    row(
        &["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
        &[Lines(
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*",
        )],
    ),
    Row {
        names: &["tekken"],
        splits: &[Lines(
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*",
        )],
        keeps_words: true,
        adds_bos: true,
    },
    row(&["falcon"], &[Only(r"[\p{P}$+<=>^~|`]+"), GPT_2, THREE_DIGITS]),
    row(
        &["deepseek-llm"],
        &[
            LINE_BREAK,
            Only(
                r"\s?[A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293}\x{295}-\x{2af}\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d}\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4}\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f}\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df}\x{1e900}-\x{1e943}]+",
            ),
            Only(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"),
            Only(r"\s+$"),
            Only(r"[一-龥ࠀ-一가-퟿]+"),
            Only(r"\p{N}+"),
        ],
    ),
    row(
        &["deepseek-coder"],
        &[LINE_BREAK, Only(r"\s?\p{L}+"), Only(r"\s?\p{P}+"), Only(r"[一-龥ࠀ-一가-퟿]+"), EACH_DIGIT],
    ),
    row(
        &["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
        &[
            Only(r"\p{N}{1,3}"),
            Only(r"[一-龥぀-ゟ゠-ヿ]+"),
            Lines(
                r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"##,
            ),
        ],
    ),
    row(&["poro-chat", "bloom", "gpt3-finnish"], &[Only(r" ?[^(\s|.,!?…。，、।۔،)]+")]),
    row(&["viking"], &[Only(r" ?[^(\s|.,!?…。，、।۔،)]+"), EACH_DIGIT]),
    row(&["laguna"], &[Only(r"[^\n]+|\n+"), QWEN_2]),
];

/// A compiled [`Split`].
struct Cut {
    expression: Regex,
    /// Whether the last of several white-space characters in front of a word is left to the word.
    leaves_space: bool,
    /// Whether that goes for line breaks too.
    leaves_line_break: bool,
}

impl Cut {
    fn new(split: Split) -> Result<Self, regex::Error> {
        let (expression, leaves_space, leaves_line_break) = match split {
            Only(words) => (words.to_owned(), false, false),
            Words(words) => (format!(r"{words}|\s+"), true, true),
            Lines(words) => (format!(r"{words}|\s*[\r\n]+|\s+"), true, false),
        };
        Ok(Self { expression: Regex::new(&expression)?, leaves_space, leaves_line_break })
    }

    /// Matches, and what lies between.
    fn pieces<'t>(&self, text: &'t str, each: &mut dyn FnMut(&'t str) -> Result<()>) -> Result<()> {
        let mut done = 0;
        while let Some(found) = self.expression.find_at(text, done) {
            if done < found.start() {
                each(&text[done..found.start()])?;
            }
            done = found.start() + self.kept(found.as_str(), found.end() == text.len());
            each(&text[found.start()..done])?;
        }
        if done < text.len() { each(&text[done..]) } else { Ok(()) }
    }

    /// Bytes of a match that are its piece.
    fn kept(&self, found: &str, at_end: bool) -> usize {
        // Nothing but the last alternative ends in a space.
        match found.char_indices().next_back() {
            Some((last, space))
                if self.leaves_space
                    && !at_end
                    && last > 0
                    && space.is_whitespace()
                    && (self.leaves_line_break || !matches!(space, '\r' | '\n')) =>
            {
                last
            }
            _ => found.len(),
        }
    }
}

/// The cuts of one file.
pub(super) struct PreTokenizer {
    cuts: Vec<Cut>,
    row: &'static Row,
}

impl PreTokenizer {
    /// The pre-tokenizer that the file names.
    ///
    /// # Errors
    /// The file names none, or one that the table lacks: a wrong cut would give wrong tokens without a word.
    pub(super) fn from_metadata(metadata: &Metadata) -> Result<Self> {
        let name = metadata.str("tokenizer.ggml.pre")?;
        let Some(row) = TABLE.iter().find(|row| row.names.contains(&name)) else {
            let mut known: Vec<&str> = TABLE.iter().flat_map(|row| row.names).copied().collect();
            known.sort_unstable();
            let cause = format!("pre-tokenizer {name}; supported are {}", known.join(", "));
            return Err(Error::Unsupported { file: metadata.file().to_owned(), cause });
        };
        let cuts = row.splits.iter().map(|split| Cut::new(*split)).collect::<Result<_, _>>();
        let cuts = cuts.map_err(|error| Error::Unsupported {
            file: metadata.file().to_owned(),
            cause: format!("pre-tokenizer {name}: {error}"),
        })?;
        Ok(Self { cuts, row })
    }

    /// Hands out the pieces of `text` in order; together they are the text.
    ///
    /// # Errors
    /// Those of `each`.
    pub(super) fn split(&self, text: &str, each: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        split(&self.cuts, text, each)
    }

    /// Whether a piece that is a token stays whole, whatever merges would make of it.
    pub(super) fn keeps_words(&self) -> bool {
        self.row.keeps_words
    }

    /// Whether a text begins with the beginning token unless the file says otherwise.
    pub(super) fn adds_bos(&self) -> bool {
        self.row.adds_bos
    }
}

fn split(cuts: &[Cut], text: &str, each: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    match cuts.split_first() {
        Some((cut, rest)) => cut.pieces(text, &mut |piece| split(rest, piece, each)),
        None if text.is_empty() => Ok(()),
        None => each(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::fixture;

    fn named(name: &str) -> Result<PreTokenizer> {
        PreTokenizer::from_metadata(
            fixture::gguf(&["<s>", "</s>"], &[("tokenizer.ggml.pre", name)]).metadata(),
        )
    }

    fn pieces(name: &str, text: &str) -> Vec<String> {
        cut(&named(name).unwrap(), text)
    }

    fn cut(pre_tokenizer: &PreTokenizer, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        let each = &mut |piece: &str| {
            out.push(piece.to_owned());
            Ok(())
        };
        pre_tokenizer.split(text, each).unwrap();
        out
    }

    #[test]
    fn each_name_has_its_cuts() {
        let text = "it's 1234, two\n\n  X²Y";
        assert_eq!(pieces("gpt-2", text), ["it", "'s", " 1234", ",", " two", "\n\n ", " X", "²", "Y"]);
        assert_eq!(
            pieces("smollm", text),
            ["it", "'s", " ", "1", "2", "3", "4", ",", " two", "\n\n ", " X", "²", "Y"]
        );
        assert_eq!(
            pieces("llama-bpe", text),
            ["it", "'s", " ", "123", "4", ",", " two", "\n\n", " ", " X", "²", "Y"]
        );
        assert_eq!(
            pieces("qwen2", text),
            ["it", "'s", " ", "1", "2", "3", "4", ",", " two", "\n\n", " ", " X", "²", "Y"]
        );
        assert_eq!(pieces("gpt-4o", "ABCdefGHI's e\u{301}a/\n"), ["ABCdef", "GHI's", " e\u{301}a", "/\n"]);
        assert_eq!(pieces("tekken", "don't 42"), ["don", "'t", " ", "4", "2"]);
        assert_eq!(pieces("default", "a<=b 12345"), ["a", "<=", "b", " ", "123", "45"]);
        assert_eq!(pieces("falcon", "a`b 12345"), ["a", "`", "b", " ", "123", "45"]);
        assert_eq!(
            pieces("deepseek-llm", "\tab\r\n 中文12  "),
            ["\tab", "\r", "\n", " ", "中文", "12", "  "]
        );
        assert_eq!(pieces("deepseek-coder", "a (b) 12"), ["a", " (", "b", ")", " ", "1", "2"]);
        assert_eq!(pieces("deepseek-v3", "f.abc 1234 かな"), ["f", ".abc", " ", "123", "4", " ", "かな"]);
        assert_eq!(pieces("bloom", "one, two"), ["one", ",", " two"]);
    }

    #[test]
    fn the_last_space_before_a_word_is_left_to_it() {
        assert_eq!(
            pieces("gpt-2", "a   b \n c\t\td  "),
            ["a", "  ", " b", " \n", " c", "\t", "\t", "d", "  "]
        );
        assert_eq!(pieces("qwen2", "a   b \n c\t\td  "), ["a", "  ", " b", " \n", " c", "\t", "\td", "  "]);
        assert_eq!(pieces("gpt-2", "\n\nb"), ["\n", "\n", "b"]);
        assert_eq!(pieces("qwen2", "\n\nb"), ["\n\n", "b"]);
        assert_eq!(pieces("qwen2", "\u{3000}\u{3000}。"), ["\u{3000}", "\u{3000}", "。"]);
    }

    #[test]
    fn pieces_are_the_text_whatever_it_is() {
        let texts = [
            "",
            " ",
            "\n",
            "  a",
            "日本語テキスト、です。",
            "x\u{0}\u{7f}\u{85}\u{a0}y",
            "🦙😶‍🌫️ 1'LL ſ's",
            "\r\n\r\n ",
        ];
        for row in TABLE {
            let pre_tokenizer = named(row.names[0]).unwrap();
            for text in texts {
                let pieces = cut(&pre_tokenizer, text);
                assert_eq!(pieces.concat(), text, "{:?}", row.names);
                assert!(pieces.iter().all(|piece| !piece.is_empty()), "{:?}: {text:?}", row.names);
            }
        }
    }

    #[test]
    fn an_unknown_name_is_refused_by_name() {
        for name in ["superbpe", "kimi-k2", "", "GPT-2", "smollm "] {
            let error = named(name).err().unwrap().to_string();
            assert!(error.contains(&format!("pre-tokenizer {name}; supported are a.x-4.0, ")), "{error}");
        }
    }
}
