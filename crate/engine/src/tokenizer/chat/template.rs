//! A file's chat template: a conversation as text, and as tokens.

use std::ops::Range;

use protocol::{ChatFormat, TemplateOrigin};

use super::families;
use super::jinja::{self, Budget, Fault, Program, Value};
use super::message::{Message, Role};
use super::origin::StandIns;
use crate::error::{Error, Result};
use crate::gguf::Metadata;
use crate::tokenizer::codec::{Specials, Tokenizer};
use crate::tokenizer::special::SpecialTokens;

/// Bytes of the longest template accepted; real ones have up to 20 kB.
const MAX_TEMPLATE: usize = 1 << 17;

/// Bytes a run may read and write: [`jinja`]. A conversation of 100 kB takes a few millions.
const WORK: u64 = 1 << 25;

/// Runs that may be spent on telling which special tokens of a rendering are the template's own; one does
/// unless contents spell some. Real templates have up to 100 places that write or compare with one.
const MAX_RUNS: usize = 128;

/// The text that tells whether a template uses a system message.
const PROBE: &str = "Speak plainly.";

/// The opening of a thought.
const THOUGHT: &str = "<think>";

/// A file's chat template.
pub struct ChatTemplate {
    program: Program,
    source: String,
    file: String,
    bos: String,
    eos: String,
    /// The time for `strftime_now`.
    now: Option<i64>,
    /// Whether the model is to think before it answers, where that can be switched.
    thinking: Option<bool>,
    /// Whether `tools` and `documents` are defined, as none: `transformers` defines them, llama.cpp does not, and
    /// some templates loop over tools as soon as they are defined.
    defines_tools: bool,
    format: ChatFormat,
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
    /// The template of the file, or of the family that its special tokens show, `None` when they show none;
    /// `tokenizer` is the same file's.
    ///
    /// # Errors
    /// It is too long or does not parse.
    pub fn from_gguf(metadata: &Metadata, tokenizer: &Tokenizer) -> Result<Option<Self>> {
        let bad = |cause: String| Error::BadFile { file: metadata.file().to_owned(), cause };
        let (source, origin) = match metadata.opt_str("tokenizer.chat_template")? {
            Some(source) => (source, TemplateOrigin::File),
            None => match families::of(tokenizer) {
                Some(family) => (family.template, TemplateOrigin::Family(family.name.to_owned())),
                None => return Ok(None),
            },
        };
        if source.len() > MAX_TEMPLATE {
            return Err(bad(format!("its chat template has {} bytes, above {MAX_TEMPLATE}", source.len())));
        }
        let program = jinja::parse(source)
            .map_err(|fault| bad(format!("its chat template does not parse: {fault}")))?;
        let special = |name: &str| -> Result<String> {
            let id = metadata.opt_usize(&format!("tokenizer.ggml.{name}_token_id"))?;
            let text = id.and_then(|id| tokenizer.token_text(u32::try_from(id).ok()?));
            Ok(text.unwrap_or_default().to_owned())
        };
        let format = ChatFormat {
            origin,
            takes_system: true,
            thinking_switch: !program.switches.is_empty(),
            opens_thought: false,
        };
        let mut template = Self {
            bos: special("bos")?,
            eos: special("eos")?,
            source: source.to_owned(),
            file: metadata.file().to_owned(),
            // While the template is tried.
            now: Some(0),
            thinking: None,
            defines_tools: true,
            program,
            format,
        };
        let hello = [Message { role: Role::User, content: "Hello".to_owned() }];
        if template.rendered(&hello, true).is_err() {
            template.defines_tools = false;
            template.defines_tools = template.rendered(&hello, true).is_err();
        }
        template.format.takes_system = template.uses_system();
        template.format.opens_thought =
            template.rendered(&hello, true).is_ok_and(|text| text.trim_end().ends_with(THOUGHT));
        template.now = None;
        Ok(Some(template))
    }

    /// How it treats conversations.
    pub fn format(&self) -> &ChatFormat {
        &self.format
    }

    /// Tells the template what time it is, for `strftime_now`: `seconds` since 1970 on the visitor's clock,
    /// time zone included. A template that asks without having been told is refused.
    pub fn set_local_time(&mut self, seconds: i64) {
        self.now = Some(seconds);
    }

    /// Tells the template whether the model is to think before it answers; `None` leaves that to the template.
    pub fn set_thinking(&mut self, thinking: Option<bool>) {
        self.thinking = thinking;
    }

    /// The conversation as text, with the opening of the model's turn behind it when asked. Where the template
    /// takes no system message, its text stands in front of the first turn.
    ///
    /// # Errors
    /// The template refuses the conversation, or takes too much work.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        self.rendered(&self.folded(messages), add_generation_prompt)
    }

    fn rendered(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let contents = contents(messages);
        let values = self.values(messages, &contents, add_generation_prompt);
        let (result, _) = self.run(&self.program, &values);
        result.map_err(|fault| match fault {
            Fault::Raised(message) => {
                Error::BadPrompt { cause: format!("the model's chat template refuses it: {message}") }
            }
            fault => {
                let cause = format!("its chat template refuses this conversation: {fault}");
                Error::BadFile { file: self.file.clone(), cause }
            }
        })
    }

    /// Whether a system message is taken, and comes up in the text.
    fn uses_system(&self) -> bool {
        let say = |role, content: &str| Message { role, content: content.to_owned() };
        let user = say(Role::User, "Hello");
        let alone = self.rendered(std::slice::from_ref(&user), true);
        match self.rendered(&[say(Role::System, PROBE), user], true) {
            Ok(text) => text.contains(PROBE),
            // A template that takes no conversation at all says so when it is asked.
            Err(_) => alone.is_err(),
        }
    }

    /// The conversation without system messages where the template takes none: their text stands in front of
    /// the next turn of the user's.
    fn folded(&self, messages: &[Message]) -> Vec<Message> {
        if self.format.takes_system {
            return messages.to_vec();
        }
        let mut said = String::new();
        let mut out: Vec<Message> = Vec::with_capacity(messages.len());
        for message in messages {
            match message.role {
                Role::System => {
                    said.push_str(&message.content);
                    said.push_str("\n\n");
                }
                Role::User => {
                    let content = std::mem::take(&mut said) + &message.content;
                    out.push(Message { role: Role::User, content });
                }
                Role::Assistant => out.push(message.clone()),
            }
        }
        if !said.is_empty() {
            out.push(Message { role: Role::User, content: said.trim_end().to_owned() });
        }
        out
    }

    /// The conversation as tokens: those of its rendered text, in which a special token counts only where
    /// the template wrote every character of it.
    ///
    /// # Errors
    /// As [`Self::render`], or the tokenizer's.
    pub fn tokens(&self, messages: &[Message], tokenizer: &Tokenizer) -> Result<Vec<u32>> {
        let messages = &*self.folded(messages);
        let rendered = self.rendered(messages, true)?;
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
        let text = self.run(&self.program, &self.values(messages, &contents, true)).0.ok()?;
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
        let mut work = WORK;
        for place in 0..worn.len().min(MAX_RUNS) {
            if work == 0 {
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
            let (result, used) = match jinja::read(&source) {
                Ok(program) => self.run(&program, &values),
                Err(fault) => (Err(fault), 0),
            };
            // Parsing is work as well.
            let used = used + source.len() as u64;
            work = work.saturating_sub(used);
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

    /// Runs `program`; the work it took comes back too.
    fn run(&self, program: &Program, values: &Values<'_>) -> (Result<String, Fault>, u64) {
        let budget = Budget::new(WORK);
        let text = self.variables(values, &budget).and_then(|variables| {
            let switches = program.switches.iter().zip(std::iter::repeat(self.thinking));
            let switches = switches.filter_map(|(name, on)| Some((*name, Value::Bool(on?))));
            jinja::run(program, variables.into_iter().chain(switches).collect(), self.now, &budget)
        });
        (text, budget.used())
    }

    /// What the template finds defined, as `transformers` gives it.
    fn variables(&self, values: &Values<'_>, budget: &Budget) -> Result<Vec<(&'static str, Value)>, Fault> {
        let mut messages = Vec::with_capacity(values.messages.len());
        for (message, content) in values.messages.iter().zip(values.contents) {
            let fields = [("role", Value::str(message.role.name())), ("content", Value::str(content))];
            messages.push(Value::record(&fields, budget)?);
        }
        let absent = ["tools", "documents"].into_iter().filter(|_| self.defines_tools);
        let absent = absent.map(|name| (name, Value::None));
        let given = [
            ("messages", Value::list(messages, budget)?),
            ("add_generation_prompt", Value::Bool(values.add_generation_prompt)),
            ("bos_token", Value::str(values.bos)),
            ("eos_token", Value::str(values.eos)),
        ];
        Ok(given.into_iter().chain(absent).collect())
    }
}

fn contents(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|m| m.content.clone()).collect()
}
