//! The chat template a file brings, rendered by minijinja within limits, and tokenised so that nothing
//! people wrote can become a special token.

use minijinja::{Environment, ErrorKind, context};
use minijinja_contrib::pycompat::unknown_method_callback;
pub use protocol::{Message, Role};

use super::{Specials, Tokenizer};
use crate::error::{Error, Result};
use crate::gguf::Metadata;

/// Bytes of the longest template accepted; real ones have up to 10 kB.
const MAX_TEMPLATE: usize = 1 << 17;

/// Instructions a template may run; a turn takes a few dozen.
const FUEL: u64 = 2_000_000;

/// Private-use characters around a message's number: they stand for its content while the template runs.
const MARK: (char, char) = ('\u{f8f0}', '\u{f8f1}');

/// A file's chat template.
pub struct ChatTemplate {
    environment: Environment<'static>,
    file: String,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// The template of the file, `None` when it has none; `tokenizer` is the same file's.
    ///
    /// # Errors
    /// It is too long or does not parse.
    pub fn from_gguf(metadata: &Metadata, tokenizer: &Tokenizer) -> Result<Option<Self>> {
        let Some(source) = metadata.opt_str("tokenizer.chat_template")? else { return Ok(None) };
        let bad = |cause: String| Error::BadFile { file: metadata.file().to_owned(), cause };
        if source.len() > MAX_TEMPLATE {
            return Err(bad(format!("its chat template has {} bytes, above {MAX_TEMPLATE}", source.len())));
        }
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<String, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
        });
        environment
            .add_template_owned("chat", source.to_owned())
            .map_err(|error| bad(format!("its chat template does not parse: {error}")))?;
        let special = |name: &str| -> Result<String> {
            let id = metadata.opt_usize(&format!("tokenizer.ggml.{name}_token_id"))?;
            let text = id.and_then(|id| tokenizer.token_text(u32::try_from(id).ok()?));
            Ok(text.unwrap_or_default().to_owned())
        };
        let (bos, eos) = (special("bos")?, special("eos")?);
        Ok(Some(Self { environment, file: metadata.file().to_owned(), bos, eos }))
    }

    /// The conversation as text, with the opening of the model's turn behind it when asked.
    ///
    /// # Errors
    /// The template refuses the conversation, or runs too long.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let contents = messages.iter().map(|m| m.content.clone());
        self.render_with(messages, contents, add_generation_prompt)
    }

    /// The conversation as tokens. Contents are put in after the template ran and are never searched for
    /// special tokens; they join the template's text before it is tokenised, so that an ordinary conversation
    /// has exactly the tokens of its rendered text.
    ///
    /// # Errors
    /// As [`Self::render`], or the tokenizer's.
    pub(crate) fn tokens(&self, messages: &[Message], tokenizer: &Tokenizer) -> Result<Vec<u32>> {
        let marks = (0..messages.len()).map(|index| format!("{}{index}{}", MARK.0, MARK.1));
        let rendered = self.render_with(messages, marks, true)?;
        let (mut ids, mut text, mut rest) = (Vec::new(), String::new(), rendered.as_str());
        while !rest.is_empty() {
            let special = tokenizer.next_special(rest);
            let until = special.map_or(rest.len(), |(at, _, _)| at);
            fill_in(&rest[..until], messages, &mut text);
            ids.extend(tokenizer.encode(&text, Specials::AsText)?);
            text.clear();
            ids.extend(special.map(|(_, _, id)| id));
            rest = &rest[special.map_or(until, |(at, name, _)| at + name.len())..];
        }
        Ok(ids)
    }

    fn render_with(
        &self,
        messages: &[Message],
        contents: impl Iterator<Item = String>,
        add_generation_prompt: bool,
    ) -> Result<String> {
        let messages: Vec<_> = messages
            .iter()
            .zip(contents)
            .map(|(message, content)| context! { role => message.role.name(), content })
            .collect();
        let values =
            context! { messages, add_generation_prompt, bos_token => self.bos, eos_token => self.eos };
        self.environment.get_template("chat").and_then(|template| template.render(values)).map_err(|error| {
            let cause = format!("its chat template refuses this conversation: {error}");
            Error::BadFile { file: self.file.clone(), cause }
        })
    }
}

/// Appends `rendered` to `out`, each mark replaced by the content it stands for.
fn fill_in(rendered: &str, messages: &[Message], out: &mut String) {
    let mut rest = rendered;
    while let Some((before, after)) = rest.split_once(MARK.0) {
        out.push_str(before);
        let marked = after.split_once(MARK.1).and_then(|(index, behind)| {
            let message = messages.get(index.parse::<usize>().ok()?)?;
            Some((message, behind))
        });
        match marked {
            Some((message, behind)) => {
                out.push_str(&message.content);
                rest = behind;
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
}
