//! Template text to tokens, with jinja2's `trim_blocks` and `lstrip_blocks`.

use std::sync::Arc;

use super::fault::{Fault, Result, quoted, wrong};
use super::text::is_space;

/// Operators, longer ones first.
const OPERATORS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=", ".", ":", "|", ",", ";",
];

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Data(Arc<str>),
    BlockBegin,
    BlockEnd,
    PrintBegin,
    PrintEnd,
    Name(Arc<str>),
    Str(Arc<str>),
    Int(i64),
    Float(f64),
    Operator(&'static str),
}

/// A token and its line, from 1.
pub(super) type Placed = (u32, Token);

/// Tokens of a template, comments left out.
pub(super) fn tokens(source: &str) -> Result<Vec<Placed>> {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let source = source.strip_suffix('\n').unwrap_or(&source);
    let mut lexer = Lexer { source, at: 0, line: 1, line_starting: true, out: Vec::new() };
    while lexer.at < source.len() {
        lexer.data_and_tag().map_err(|fault: Fault| fault.at(lexer.line))?;
    }
    Ok(lexer.out)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    line: u32,
    /// Whether what was read last ends a line.
    line_starting: bool,
    out: Vec<Placed>,
}

#[derive(Clone, Copy, PartialEq)]
enum Tag {
    Print,
    Block,
    Comment,
}

impl Tag {
    fn end(self) -> &'static str {
        match self {
            Self::Print => "}}",
            Self::Block => "%}",
            Self::Comment => "#}",
        }
    }
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn advance(&mut self, bytes: usize) {
        let passed = &self.source[self.at..self.at + bytes];
        self.line += passed.bytes().filter(|b| *b == b'\n').count() as u32;
        self.at += bytes;
        if let Some(last) = passed.bytes().last() {
            self.line_starting = last == b'\n';
        }
    }

    fn push(&mut self, token: Token) {
        self.out.push((self.line, token));
    }

    fn push_data(&mut self, data: &str) {
        if !data.is_empty() {
            self.push(Token::Data(data.into()));
        }
    }

    /// Text up to the next tag, and that tag.
    fn data_and_tag(&mut self) -> Result<()> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let opens = |at: &usize| bytes[*at] == b'{' && matches!(bytes.get(at + 1), Some(b'{' | b'%' | b'#'));
        let Some(open) = (0..bytes.len()).find(opens) else {
            self.push_data(rest);
            self.advance(rest.len());
            return Ok(());
        };
        let tag = match bytes[open + 1] {
            b'{' => Tag::Print,
            b'%' => Tag::Block,
            _ => Tag::Comment,
        };
        let sign = bytes.get(open + 2).copied().filter(|sign| matches!(sign, b'-' | b'+'));
        let text = &rest[..open];
        self.push_data(match sign {
            Some(b'-') => text.trim_end_matches(is_space),
            None if tag != Tag::Print => self.without_indent(text),
            _ => text,
        });
        self.advance(open + 2 + usize::from(sign.is_some()));
        match tag {
            Tag::Comment => self.comment(),
            Tag::Block if self.raw()? => Ok(()),
            tag => self.code(tag),
        }
    }

    /// `lstrip_blocks`: white space between the beginning of a line and a tag goes.
    fn without_indent<'t>(&self, text: &'t str) -> &'t str {
        let line = text.rfind('\n').map_or(0, |at| at + 1);
        let indent = &text[line..];
        let begins_line = line > 0 || self.line_starting;
        if begins_line && indent.chars().all(is_space) { &text[..line] } else { text }
    }

    fn comment(&mut self) -> Result<()> {
        let rest = self.rest();
        let end = rest.find("#}").ok_or_else(|| wrong("a comment does not end"))?;
        let sign = rest[..end].bytes().last();
        self.advance(end + 2);
        match sign {
            Some(b'-') => self.skip_space(),
            Some(b'+') => {}
            _ => self.skip_newline(),
        }
        Ok(())
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.advance(rest.len() - rest.trim_start_matches(is_space).len());
    }

    /// `trim_blocks`: the line that ends behind a tag ends with it.
    fn skip_newline(&mut self) {
        if self.rest().starts_with('\n') {
            self.advance(1);
        }
    }

    /// A `raw` block, whose content is text, if that is what begins here.
    fn raw(&mut self) -> Result<bool> {
        let rest = self.rest();
        let Some(after) = rest.trim_start_matches(is_space).strip_prefix("raw") else { return Ok(false) };
        let after = after.trim_start_matches(is_space);
        let (strip, content) = match (after.strip_prefix("-%}"), after.strip_prefix("%}")) {
            (Some(content), _) => (true, content),
            (_, Some(content)) => (false, content),
            _ => return Ok(false),
        };
        self.advance(rest.len() - content.len());
        if strip {
            self.skip_space();
        }
        let rest = self.rest();
        let mut from = 0;
        while let Some(open) = rest[from..].find("{%") {
            let open = from + open;
            let inner = &rest[open + 2..];
            let sign = inner.bytes().next().filter(|sign| matches!(sign, b'-' | b'+'));
            let inner = inner[usize::from(sign.is_some())..].trim_start_matches(is_space);
            let end = inner.strip_prefix("endraw").map(|after| after.trim_start_matches(is_space));
            if let Some(after) = end {
                let (end, left) = match (after.strip_prefix("-%}"), after.strip_prefix("+%}")) {
                    (Some(left), _) => (b'-', Some(left)),
                    (_, Some(left)) => (b'+', Some(left)),
                    _ => (b' ', after.strip_prefix("%}")),
                };
                if let Some(left) = left {
                    let text = &rest[..open];
                    self.push_data(match sign {
                        Some(b'-') => text.trim_end_matches(is_space),
                        None => self.without_indent(text),
                        _ => text,
                    });
                    self.advance(rest.len() - left.len());
                    match end {
                        b'-' => self.skip_space(),
                        b'+' => {}
                        _ => self.skip_newline(),
                    }
                    return Ok(true);
                }
            }
            from = open + 2;
        }
        Err(wrong("a raw block does not end"))
    }

    /// The inside of a tag, its ends included.
    fn code(&mut self, tag: Tag) -> Result<()> {
        self.push(if tag == Tag::Print { Token::PrintBegin } else { Token::BlockBegin });
        let mut open: Vec<u8> = Vec::new();
        loop {
            self.skip_space();
            let rest = self.rest();
            if rest.is_empty() {
                return Err(wrong("a tag does not end"));
            }
            if open.is_empty() {
                let stripped = rest.strip_prefix('-').is_some_and(|rest| rest.starts_with(tag.end()));
                let kept = tag == Tag::Block
                    && rest.strip_prefix('+').is_some_and(|rest| rest.starts_with(tag.end()));
                if stripped || kept || rest.starts_with(tag.end()) {
                    self.push(if tag == Tag::Print { Token::PrintEnd } else { Token::BlockEnd });
                    self.advance(if stripped || kept { 3 } else { 2 });
                    if stripped {
                        self.skip_space();
                    } else if tag == Tag::Block && !kept {
                        self.skip_newline();
                    }
                    return Ok(());
                }
            }
            self.token(rest, &mut open)?;
        }
    }

    fn token(&mut self, rest: &str, open: &mut Vec<u8>) -> Result<()> {
        let first = rest.chars().next().unwrap_or_default();
        if first == '"' || first == '\'' {
            return self.string(rest, first);
        }
        if first.is_ascii_digit() {
            return self.number(rest);
        }
        if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            self.push(Token::Name(rest[..end].into()));
            self.advance(end);
            return Ok(());
        }
        let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator));
        let operator = operator.ok_or_else(|| wrong(format!("{first:?} is not expected")))?;
        match operator.as_bytes()[0] {
            bracket @ (b'(' | b'[' | b'{') => open.push(bracket),
            bracket @ (b')' | b']' | b'}') => {
                let fits = match open.pop() {
                    Some(b'(') => bracket == b')',
                    Some(b'[') => bracket == b']',
                    Some(b'{') => bracket == b'}',
                    _ => false,
                };
                if !fits {
                    return Err(wrong(format!("{operator} closes nothing")));
                }
            }
            _ => {}
        }
        self.push(Token::Operator(operator));
        self.advance(operator.len());
        Ok(())
    }

    fn string(&mut self, rest: &str, mark: char) -> Result<()> {
        let mut text = String::new();
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            if c == mark {
                self.push(Token::Str(text.into()));
                self.advance(at + 1);
                return Ok(());
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            let Some((_, escaped)) = chars.next() else { break };
            match escaped {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'a' => text.push('\x07'),
                'b' => text.push('\x08'),
                'f' => text.push('\x0c'),
                'v' => text.push('\x0b'),
                '\n' => {}
                '\\' | '\'' | '"' => text.push(escaped),
                '0'..='7' => {
                    let mut code = escaped.to_digit(8).unwrap_or(0);
                    for _ in 0..2 {
                        let mut ahead = chars.clone();
                        let Some(digit) = ahead.next().and_then(|(_, c)| c.to_digit(8)) else { break };
                        code = code * 8 + digit;
                        chars = ahead;
                    }
                    text.extend(char::from_u32(code));
                }
                'x' | 'u' | 'U' => {
                    let digits = match escaped {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    let mut code = 0u32;
                    for _ in 0..digits {
                        let digit = chars.next().and_then(|(_, c)| c.to_digit(16));
                        let digit = digit.ok_or_else(|| wrong("an escape in a string is cut short"))?;
                        code = code.wrapping_mul(16) + digit;
                    }
                    let c = char::from_u32(code);
                    text.push(c.ok_or_else(|| wrong(format!("{code:x} is no character")))?);
                }
                other => {
                    text.push('\\');
                    text.push(other);
                }
            }
        }
        Err(wrong("a string does not end"))
    }

    fn number(&mut self, rest: &str) -> Result<()> {
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
        let whole = digits(rest);
        let mut end = whole;
        // `a.0.1` is two places of a list.
        let place = matches!(self.out.last(), Some((_, Token::Operator("."))));
        if !place {
            if let Some(fraction) = rest[end..].strip_prefix('.')
                && fraction.starts_with(|c: char| c.is_ascii_digit())
            {
                end += 1 + digits(fraction);
            }
            if let Some(exponent) = rest[end..].strip_prefix(['e', 'E']) {
                let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if unsigned.starts_with(|c: char| c.is_ascii_digit()) {
                    end += 1 + (exponent.len() - unsigned.len()) + digits(unsigned);
                }
            }
        }
        let written = rest[..end].replace('_', "");
        let large = || wrong(format!("{} is too large a number", quoted(&written)));
        let token = match end == whole {
            true => Token::Int(written.parse().map_err(|_| large())?),
            false => Token::Float(written.parse().map_err(|_| large())?),
        };
        self.push(token);
        self.advance(end);
        Ok(())
    }
}
