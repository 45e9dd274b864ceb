//! A file's chat template: a conversation as text, and as tokens.

use std::io;
use std::ops::Range;

use minijinja::{Environment, context};

use super::dialect;
use super::message::Message;
use super::origin::StandIns;
use crate::error::{Error, Result};
use crate::gguf::Metadata;
use crate::tokenizer::codec::{Specials, Tokenizer};
use crate::tokenizer::special::SpecialTokens;

/// Bytes of the longest template accepted; real ones have up to 20 kB.
const MAX_TEMPLATE: usize = 1 << 17;

/// Instructions a template may run; a turn takes a few dozen.
const FUEL: u64 = 2_000_000;

/// Bytes of the longest text a template may write; no model reads a tenth of it.
const MAX_TEXT: usize = 1 << 24;

/// Runs that may be spent on telling which special tokens of a rendering are the template's own; one does
/// unless contents spell some. Real templates have up to 100 places that write or compare with one.
const MAX_RUNS: usize = 128;

/// A file's chat template.
pub struct ChatTemplate {
    environment: Environment<'static>,
    source: String,
    file: String,
    bos: String,
    eos: String,
}

/// What a template is run on.
struct Values<'a> {
    messages: &'a [Message],
    /// Contents of the messages, in their order.
    contents: &'a [String],
    bos: &'a str,
    eos: &'a str,
    add_generation_prompt: bool,
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
        let environment = dialect::environment(FUEL);
        let source = dialect::without_generation_tags(source);
        environment
            .template_from_named_str("chat", &source)
            .map_err(|error| bad(format!("its chat template does not parse: {error}")))?;
        let special = |name: &str| -> Result<String> {
            let id = metadata.opt_usize(&format!("tokenizer.ggml.{name}_token_id"))?;
            let text = id.and_then(|id| tokenizer.token_text(u32::try_from(id).ok()?));
            Ok(text.unwrap_or_default().to_owned())
        };
        let bos = special("bos")?;
        let eos = special("eos")?;
        Ok(Some(Self { environment, source, file: metadata.file().to_owned(), bos, eos }))
    }

    /// Tells the template what time it is, for `strftime_now`: `seconds` since 1970 on the visitor's clock,
    /// time zone included. A template that asks without having been told is refused.
    pub fn set_local_time(&mut self, seconds: i64) {
        dialect::set_local_time(&mut self.environment, seconds);
    }

    /// The conversation as text, with the opening of the model's turn behind it when asked.
    ///
    /// # Errors
    /// The template refuses the conversation, or runs too long.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let contents = contents(messages);
        let values = self.values(messages, &contents, add_generation_prompt);
        let (result, _) = self.run(&self.source, &values);
        result.map_err(|error| match dialect::raised(&error) {
            Some(message) => {
                Error::BadPrompt { cause: format!("the model's chat template refuses it: {message}") }
            }
            None => {
                let cause = format!("its chat template refuses this conversation: {error}");
                Error::BadFile { file: self.file.clone(), cause }
            }
        })
    }

    /// The conversation as tokens: those of its rendered text, in which a special token counts only where
    /// the template wrote every character of it.
    ///
    /// # Errors
    /// As [`Self::render`], or the tokenizer's.
    pub(crate) fn tokens(&self, messages: &[Message], tokenizer: &Tokenizer) -> Result<Vec<u32>> {
        let rendered = self.render(messages, true)?;
        let own = self.own_characters(messages, &rendered, tokenizer).ok_or_else(|| Error::BadPrompt {
            cause: "it holds nearly every private-use character of Unicode; leave some out".to_owned(),
        })?;
        let mut rest = rendered.chars();
        let mut ids = Vec::new();
        let mut done = 0;
        for found in tokenizer.specials().find(&own) {
            let before = own[done..found.range.start].chars().count();
            let text: String = rest.by_ref().take(before).collect();
            ids.extend(tokenizer.encode(&text, Specials::AsText)?);
            ids.push(found.id);
            done = found.range.end;
            rest.by_ref().take(own[found.range].chars().count()).for_each(drop);
        }
        ids.extend(tokenizer.encode(rest.as_str(), Specials::AsText)?);
        Ok(ids)
    }

    /// `rendered` with private-use characters in the place of all that contents may have brought; `None` when
    /// contents leave too few of those characters free.
    fn own_characters(&self, messages: &[Message], rendered: &str, tokenizer: &Tokenizer) -> Option<String> {
        let names = || tokenizer.specials().ids().iter().filter_map(|id| tokenizer.token_text(*id));
        let texts = [&*self.source, &*self.bos, &*self.eos].into_iter().chain(names());
        let free = StandIns::apart_from(texts.chain(messages.iter().map(|m| m.content.as_str())));
        // Templates trim contents and split them at white space: it stays unless a special token has it.
        let spells: Vec<char> = names().flat_map(str::chars).filter(|c| c.is_whitespace()).collect();
        // Written as `\n` or `\u000b`, it could spell a special token that is no more than that.
        let escape = |name: &str| name.chars().all(|c| "\\nrtu".contains(c) || c.is_ascii_hexdigit());
        let written = names().any(escape);
        let stays = |c: char| c.is_whitespace() && !written && !spells.contains(&c);
        let shown = |own: &str| tokenizer.specials().find(own).count();
        let first = self.apart_from_contents(messages, rendered, free.clone(), stays);
        if first.as_deref().map(shown) == Some(shown(rendered)) {
            return first;
        }
        let second = self.written_out(messages, rendered, free, tokenizer.specials());
        [second, first].into_iter().flatten().max_by_key(|own| shown(own))
    }

    /// The first run of [`super::origin`]: contents in stand-ins.
    fn apart_from_contents(
        &self,
        messages: &[Message],
        rendered: &str,
        mut stand_ins: StandIns,
        stays: impl Fn(char) -> bool,
    ) -> Option<String> {
        let hidden = messages.iter().map(|m| stand_ins.hide(&m.content, &stays));
        let contents: Vec<String> = hidden.collect::<Option<_>>()?;
        let text = self.run(&self.source, &self.values(messages, &contents, true)).0.ok()?;
        stand_ins.reads_as(&text, rendered).then_some(text)
    }

    /// The second run of [`super::origin`]: the template's special tokens in stand-ins, place by place, where
    /// that leaves the text what it is and shows that the template wrote it.
    fn written_out(
        &self,
        messages: &[Message],
        rendered: &str,
        mut stand_ins: StandIns,
        specials: &SpecialTokens,
    ) -> Option<String> {
        let opaque = stand_ins.unused()?;
        let mut own: String = rendered.chars().map(|_| opaque).collect();
        let contents = contents(messages);
        let places: Vec<Range<usize>> = specials.find(&self.source).map(|found| found.range).collect();
        // The first two are the beginning and the end token, which templates get as variables.
        let mut worn = vec![false; places.len() + 2];
        let mut shown = 0;
        let mut fuel = FUEL;
        for place in 0..worn.len().min(MAX_RUNS) {
            if fuel == 0 {
                break;
            }
            worn[place] = true;
            let mut dress = |text: &str, worn: bool| stand_ins.hide(text, |_| !worn);
            let mut source = String::with_capacity(self.source.len() * 2);
            let mut done = 0;
            for (place, worn) in places.iter().zip(&worn[2..]) {
                source.push_str(&self.source[done..place.start]);
                source.push_str(&dress(&self.source[place.clone()], *worn)?);
                done = place.end;
            }
            source.push_str(&self.source[done..]);
            let values = Values {
                bos: &dress(&self.bos, worn[0])?,
                eos: &dress(&self.eos, worn[1])?,
                ..self.values(messages, &contents, true)
            };
            let (result, used) = self.run(&source, &values);
            fuel = fuel.saturating_sub(used);
            let written = result
                .ok()
                .filter(|text| stand_ins.reads_as(text, rendered))
                .map(|text| text.chars().map(|c| stand_ins.meaning(c).unwrap_or(opaque)).collect::<String>());
            // A place that shows nothing is not run, or is one that compares.
            let now = written.as_deref().map_or(0, |written| specials.find(written).count());
            match written.filter(|_| now > shown) {
                Some(written) => (own, shown) = (written, now),
                None => worn[place] = false,
            }
        }
        Some(own)
    }

    fn values<'a>(
        &'a self,
        messages: &'a [Message],
        contents: &'a [String],
        add_generation_prompt: bool,
    ) -> Values<'a> {
        Values { messages, contents, bos: &self.bos, eos: &self.eos, add_generation_prompt }
    }

    /// Runs `source`; instructions it took come back too.
    fn run(&self, source: &str, values: &Values<'_>) -> (Result<String, minijinja::Error>, u64) {
        let messages: Vec<_> = values
            .messages
            .iter()
            .zip(values.contents)
            .map(|(message, content)| context! { role => message.role.name(), content })
            .collect();
        let values = context! {
            messages,
            add_generation_prompt => values.add_generation_prompt,
            bos_token => values.bos,
            eos_token => values.eos,
        };
        let template = match self.environment.template_from_named_str("chat", source) {
            Ok(template) => template,
            Err(error) => return (Err(error), 0),
        };
        let mut text = Text::default();
        match template.render_captured_to(values, &mut text) {
            Ok(run) => {
                let used = run.state().fuel_levels().map_or(0, |(used, _)| used);
                let text = String::from_utf8(text.bytes);
                (text.map_err(|error| dialect::invalid(error.to_string())), used)
            }
            Err(_) if text.full => {
                (Err(dialect::invalid(format!("it writes more than {MAX_TEXT} bytes"))), FUEL)
            }
            Err(error) => (Err(error), FUEL),
        }
    }
}

/// What a template writes, up to [`MAX_TEXT`].
#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    full: bool,
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.full = bytes.len() > MAX_TEXT - self.bytes.len();
        if self.full {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn contents(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|m| m.content.clone()).collect()
}
