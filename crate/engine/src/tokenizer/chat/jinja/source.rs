//! A template's text, looked through before minijinja's parser sees it: that parser calls itself wherever a template
//! nests, and knows no `{% generation %}`.

use std::ops::Range;

use minijinja::machinery::{Span, Token, WhitespaceConfig, tokenize};

use super::fault::{Fault, Result, quoted, wrong};

/// Brackets and blocks inside each other; recursion takes stack. Real templates have about 15.
const MAX_NESTING: usize = 40;

/// Operators that one expression may have in a row, brackets inside it included. Real templates have about 30.
const MAX_DEPTH: usize = 120;

/// Branches before a place, of all the blocks around it: each `elif` is an `if` inside the one before it.
const MAX_BRANCHES: usize = 100;

/// Tags, and whether they begin a block.
const TAGS: [(&str, bool); 16] = [
    ("break", false),
    ("continue", false),
    ("elif", false),
    ("else", false),
    ("endfor", false),
    ("endgeneration", false),
    ("endif", false),
    ("endmacro", false),
    ("endset", false),
    ("endwith", false),
    ("for", true),
    ("generation", true),
    ("if", true),
    ("macro", true),
    ("set", true),
    ("with", true),
];

/// Bytes of a name.
const MAX_NAME: usize = 128;

/// Variables that switch thinking on and off, in the templates of one family or another.
const SWITCHES: [&str; 2] = ["enable_thinking", "thinking"];

/// jinja2 as `transformers` sets it up.
pub(super) const SPACE: WhitespaceConfig =
    WhitespaceConfig { keep_trailing_newline: false, lstrip_blocks: true, trim_blocks: true };

/// A template's text as minijinja may read it, and which of [`SWITCHES`] it looks at.
pub(super) fn prepared(source: &str) -> Result<(String, Vec<&'static str>)> {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader { source: &source, ..Reader::default() };
    for token in tokenize(&source, false, Default::default(), SPACE) {
        let (token, span) = token.map_err(|error| Fault::of(&error, 0))?;
        reader.token(&token, span).map_err(|fault| fault.at(span.start_line.into()))?;
    }
    let mut text = String::with_capacity(source.len());
    let mut done = 0;
    for (range, new) in reader.exchanged {
        text.push_str(&source[done..range.start]);
        text.push_str(new);
        done = range.end;
    }
    text.push_str(&source[done..]);
    Ok((text, reader.switches))
}

#[derive(Default)]
struct Reader<'s> {
    source: &'s str,
    /// Blocks open here, and how many branches each has.
    blocks: Vec<(&'s str, usize)>,
    /// Operators so far at each level of brackets; those of a list's elements are not in a row.
    operators: Vec<usize>,
    /// The word that the tag begins with, of those that do.
    tag: Option<&'s str>,
    /// Whether a `set` gives its value in the tag.
    assigns: bool,
    after_dot: bool,
    /// What minijinja reads in another way than jinja2, and what it is to read instead.
    exchanged: Vec<(Range<usize>, &'static str)>,
    switches: Vec<&'static str>,
}

impl<'s> Reader<'s> {
    fn token(&mut self, token: &Token<'s>, span: Span) -> Result<()> {
        let after_dot = std::mem::take(&mut self.after_dot);
        match token {
            Token::VariableStart | Token::BlockStart => {
                self.operators = vec![0];
                self.tag = matches!(token, Token::VariableStart).then_some("");
                self.assigns = false;
            }
            Token::BlockEnd => return self.tag_ends(),
            _ if matches!(self.tag, Some("generation" | "endgeneration")) => {
                return Err(wrong("generation is a tag of one word"));
            }
            Token::Ident(name) if name.len() > MAX_NAME => {
                return Err(wrong(format!("the name {} is longer than {MAX_NAME} bytes", quoted(name))));
            }
            Token::Ident(name) if self.tag.is_none() => self.tag_begins(name, span),
            Token::Ident("not" | "and" | "or" | "if" | "else" | "in" | "is") => return self.operator(),
            Token::Ident(name) if !after_dot => {
                let found = SWITCHES.into_iter().find(|switch| switch == name);
                self.switches.extend(found.filter(|name| !self.switches.contains(name)));
            }
            Token::Assign => self.assigns |= self.operators.len() == 1,
            Token::Comma | Token::Colon => self.operators.last_mut().into_iter().for_each(|count| *count = 0),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                self.operator()?;
                self.operators.push(0);
                return self.nested();
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.operators.pop();
            }
            Token::String(_) => return self.escapes(span),
            Token::TemplateData(text) => self.raw(text, span),
            Token::VariableEnd | Token::Ident(_) | Token::Str(_) => {}
            Token::Int(_) | Token::Int128(_) | Token::Float(_) => {}
            other => {
                self.after_dot = matches!(other, Token::Dot);
                return self.operator();
            }
        }
        Ok(())
    }

    fn operator(&mut self) -> Result<()> {
        self.operators.last_mut().into_iter().for_each(|count| *count += 1);
        match self.operators.iter().sum::<usize>() > MAX_DEPTH {
            true => Err(wrong(format!("an expression is more than {MAX_DEPTH} deep"))),
            false => Ok(()),
        }
    }

    fn nested(&self) -> Result<()> {
        if self.operators.len() + self.blocks.len() > MAX_NESTING {
            return Err(wrong(format!("it nests more than {MAX_NESTING} deep")));
        }
        if self.blocks.iter().map(|(_, branches)| branches).sum::<usize>() > MAX_BRANCHES {
            return Err(wrong(format!("its branches are more than {MAX_BRANCHES} deep")));
        }
        Ok(())
    }

    fn tag_begins(&mut self, name: &'s str, span: Span) {
        self.tag = Some(name);
        // A block with names of its own, in jinja2 as here.
        let known_as = match name {
            "generation" => "with",
            "endgeneration" => "endwith",
            _ => return,
        };
        self.exchanged.push((span.start_offset as usize..span.end_offset as usize, known_as));
    }

    fn tag_ends(&mut self) -> Result<()> {
        let name = self.tag.replace("").unwrap_or_default();
        let Some((_, begins)) = TAGS.iter().find(|(known, _)| *known == name) else {
            return Err(wrong(format!("the tag {} is not supported", quoted(name))));
        };
        match name {
            "set" if self.assigns => {}
            _ if *begins => self.blocks.push((name, 1)),
            "elif" => self.blocks.last_mut().into_iter().for_each(|(_, branches)| *branches += 1),
            _ => {
                if let Some(ended) = name.strip_prefix("end")
                    && self.blocks.pop().is_none_or(|(open, _)| open != ended)
                {
                    return Err(wrong(format!("{} ends nothing", quoted(name))));
                }
            }
        }
        self.nested()
    }

    /// minijinja leaves out the first line's end of a `raw` block, jinja2 does not. No other text begins behind its
    /// place in the source, unless `-` cuts it there.
    fn raw(&mut self, text: &str, span: Span) {
        let (before, source) = self.source.split_at(span.start_offset as usize);
        if source.as_ptr() != text.as_ptr() && !before.ends_with("-%}") {
            self.exchanged.push((before.len()..before.len(), "\n"));
        }
    }

    /// The escapes of a string that minijinja does not know, or reads in another way than Python.
    fn escapes(&mut self, span: Span) -> Result<()> {
        let start = span.start_offset as usize;
        let mut chars = self.source[start..span.end_offset as usize].char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\\' {
                continue;
            }
            let escape = match chars.next() {
                Some((_, '\n')) => "",
                Some((_, '/')) => r"\\/",
                Some((_, 'a')) => r"\x07",
                Some((_, 'v')) => r"\x0b",
                Some((_, name @ ('N' | 'U'))) => {
                    return Err(wrong(format!("the escape \\{name} is not supported")));
                }
                _ => continue,
            };
            self.exchanged.push((start + at..start + at + 2, escape));
        }
        Ok(())
    }
}
