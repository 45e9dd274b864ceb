//! Tokens to a tree, with jinja2's precedence.

use std::sync::Arc;

use super::ast::{Comparison, Expr, For, Given, Kind, Macro, Node, Operator, Statement, Target, Tree};
use super::fault::{Fault, Result, quoted, wrong};
use super::lexer::{Placed, Token, tokens};

/// Brackets and blocks inside each other; recursion takes stack. Real templates have about 15.
const MAX_NESTING: u32 = 40;

/// Levels of an expression's tree: `a + b + c` has three. Real templates have about 30.
const MAX_DEPTH: u32 = 120;

/// Variables that switch thinking on and off, in the templates of one family or another.
pub(in super::super) const SWITCHES: [&str; 2] = ["enable_thinking", "thinking"];

/// A template that parses.
pub(in super::super) struct Program {
    pub(super) tree: Tree,
    /// Which of [`SWITCHES`] it looks at.
    pub(in super::super) switches: Vec<&'static str>,
}

/// Parses a template.
///
/// # Errors
/// It is no Jinja, or nests too deeply, or uses what is not supported.
pub(in super::super) fn parse(source: &str) -> Result<Program> {
    let tokens = tokens(source)?;
    let is = |token: &Token, name: &str| matches!(token, Token::Name(found) if **found == *name);
    let dot = Token::Operator(".");
    let looks = |name: &str| tokens.windows(2).any(|pair| pair[0].1 != dot && is(&pair[1].1, name));
    let switches = SWITCHES.into_iter().filter(|name| looks(name)).collect();
    let mut parser =
        Parser { tokens: tokens.into_iter().peekable(), line: 1, depth: 0, loops: 0, macros: Vec::new() };
    let body = parser.block(&[]).map_err(|fault| fault.at(parser.line))?;
    Ok(Program { tree: Tree { body, macros: parser.macros }, switches })
}

/// How tightly operators bind, the loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Compare,
    Sum,
    Concat,
    Product,
    Power,
}

/// An operator between two values.
enum Infix {
    Or,
    And,
    Compare,
    Concat,
    Arithmetic(Operator),
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Placed>>,
    line: u32,
    /// Calls of this parser inside each other.
    depth: u32,
    /// Loops around this place, in this macro.
    loops: u32,
    macros: Vec<Macro>,
}

fn node(kind: Kind, parts: impl IntoIterator<Item = u32>) -> Result<Expr> {
    let depth = 1 + parts.into_iter().max().unwrap_or(0);
    if depth > MAX_DEPTH {
        return Err(wrong(format!("an expression is more than {MAX_DEPTH} deep")));
    }
    Ok(Expr { kind, depth })
}

fn depths(given: &Given) -> u32 {
    let all = given.positional.iter().chain(given.named.iter().map(|(_, value)| value));
    all.map(|value| value.depth).max().unwrap_or(0)
}

impl Parser {
    fn peek(&mut self) -> Option<&Token> {
        self.tokens.peek().map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let (line, token) = self.tokens.next()?;
        self.line = line;
        Some(token)
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_NESTING {
            return Err(wrong(format!("it nests more than {MAX_NESTING} deep")));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn is_operator(&mut self, operator: &str) -> bool {
        matches!(self.peek(), Some(Token::Operator(found)) if *found == operator)
    }

    fn is_word(&mut self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Name(found)) if **found == *word)
    }

    fn skip_operator(&mut self, operator: &str) -> bool {
        let found = self.is_operator(operator);
        if found {
            self.next();
        }
        found
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.next();
        }
        found
    }

    fn unexpected(&mut self, wanted: &str) -> Fault {
        let found = match self.next() {
            None => "its end".to_owned(),
            Some(Token::Name(name)) => quoted(&name),
            Some(Token::Operator(operator)) => operator.to_owned(),
            Some(Token::BlockEnd) => "%}".to_owned(),
            Some(Token::PrintEnd) => "}}".to_owned(),
            Some(Token::Str(text)) => format!("{:?}", quoted(&text)),
            Some(Token::Int(_) | Token::Float(_)) => "a number".to_owned(),
            Some(Token::Data(_) | Token::BlockBegin | Token::PrintBegin) => "text".to_owned(),
        };
        wrong(format!("{found} stands where {wanted} is expected"))
    }

    fn operator(&mut self, operator: &str) -> Result<()> {
        if self.skip_operator(operator) { Ok(()) } else { Err(self.unexpected(operator)) }
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if self.skip_word(word) { Ok(()) } else { Err(self.unexpected(word)) }
    }

    fn name(&mut self) -> Result<Arc<str>> {
        match self.peek() {
            Some(Token::Name(name)) => {
                let name = Arc::clone(name);
                self.next();
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    fn block_end(&mut self) -> Result<()> {
        match self.peek() {
            Some(Token::BlockEnd) => {
                self.next();
                Ok(())
            }
            _ => Err(self.unexpected("%}")),
        }
    }

    /// Statements up to a tag that begins with one of `ends`, which is left to be read; up to the end without.
    fn block(&mut self, ends: &[&str]) -> Result<Vec<Statement>> {
        self.deeper(|parser| {
            let mut body = Vec::new();
            while let Some(token) = parser.next() {
                let line = parser.line;
                let node = match token {
                    Token::Data(text) => Node::Text(text),
                    Token::PrintBegin => {
                        let value = parser.tuple(true)?;
                        match parser.next() {
                            Some(Token::PrintEnd) => Node::Print(value),
                            _ => return Err(wrong("}} is expected")),
                        }
                    }
                    Token::BlockBegin => {
                        if ends.iter().any(|end| parser.is_word(end)) {
                            return Ok(body);
                        }
                        parser.statement()?
                    }
                    _ => return Err(wrong("this is not expected outside a tag")),
                };
                body.push(Statement { line, node });
            }
            match ends.first() {
                None => Ok(body),
                Some(_) => Err(wrong(format!("{} is missing", ends.join(" or ")))),
            }
        })
    }

    fn statement(&mut self) -> Result<Node> {
        let name = self.name()?;
        let node = match &*name {
            "if" => self.branches()?,
            "for" => self.for_loop()?,
            "set" => self.set()?,
            "macro" => self.macro_definition()?,
            "with" => self.with()?,
            "generation" => {
                self.block_end()?;
                let inner = self.block(&["endgeneration"])?;
                self.word("endgeneration")?;
                Node::With(Vec::new(), inner)
            }
            "break" | "continue" if self.loops == 0 => {
                return Err(wrong(format!("{name} stands outside a loop")));
            }
            "break" => Node::Break,
            "continue" => Node::Continue,
            other => return Err(wrong(format!("the tag {} is not supported", quoted(other)))),
        };
        self.block_end()?;
        Ok(node)
    }

    fn branches(&mut self) -> Result<Node> {
        let mut branches = Vec::new();
        let mut condition = Some(self.tuple(false)?);
        loop {
            self.block_end()?;
            let last = condition.is_none();
            let ends: &[&str] = if last { &["endif"] } else { &["elif", "else", "endif"] };
            let body = self.block(ends)?;
            branches.push((condition, body));
            if self.skip_word("elif") {
                condition = Some(self.tuple(false)?);
            } else if self.skip_word("else") {
                condition = None;
            } else {
                self.word("endif")?;
                return Ok(Node::If(branches));
            }
        }
    }

    fn for_loop(&mut self) -> Result<Node> {
        let target = self.target()?;
        self.word("in")?;
        let over = self.tuple(false)?;
        let condition = if self.skip_word("if") { Some(self.expression()?) } else { None };
        if self.is_word("recursive") {
            return Err(wrong("recursive loops are not supported"));
        }
        self.block_end()?;
        self.loops += 1;
        let body = self.block(&["else", "endfor"])?;
        self.loops -= 1;
        let otherwise = if self.skip_word("else") {
            self.block_end()?;
            self.block(&["endfor"])?
        } else {
            Vec::new()
        };
        self.word("endfor")?;
        Ok(Node::For(Box::new(For { target, over, condition, body, otherwise })))
    }

    fn set(&mut self) -> Result<Node> {
        let target = self.target()?;
        if self.skip_operator("=") {
            return Ok(Node::Set(target, self.tuple(true)?));
        }
        if self.is_operator("|") {
            return Err(wrong("a filter on a set block is not supported"));
        }
        self.block_end()?;
        let body = self.block(&["endset"])?;
        self.word("endset")?;
        Ok(Node::SetBlock(target, body))
    }

    fn macro_definition(&mut self) -> Result<Node> {
        let name = self.name()?;
        self.operator("(")?;
        let mut parameters = Vec::new();
        while !self.skip_operator(")") {
            let name = self.name()?;
            let default = if self.skip_operator("=") { Some(self.expression()?) } else { None };
            parameters.push((name, default));
            if !self.is_operator(")") {
                self.operator(",")?;
            }
        }
        self.block_end()?;
        let loops = std::mem::take(&mut self.loops);
        let body = self.block(&["endmacro"])?;
        self.loops = loops;
        self.word("endmacro")?;
        if matches!(self.peek(), Some(Token::Name(_))) {
            self.next();
        }
        self.macros.push(Macro { name, parameters, body });
        Ok(Node::Macro(self.macros.len() - 1))
    }

    fn with(&mut self) -> Result<Node> {
        let mut values = Vec::new();
        while !matches!(self.peek(), Some(Token::BlockEnd) | None) {
            let target = self.target()?;
            self.operator("=")?;
            values.push((target, self.expression()?));
            if !self.skip_operator(",") {
                break;
            }
        }
        self.block_end()?;
        let body = self.block(&["endwith"])?;
        self.word("endwith")?;
        Ok(Node::With(values, body))
    }

    /// A name, an attribute of a namespace, or several of them.
    fn target(&mut self) -> Result<Target> {
        let first = self.single_target()?;
        if !self.is_operator(",") {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.skip_operator(",") {
            if !matches!(self.peek(), Some(Token::Name(_)) | Some(Token::Operator("("))) || self.is_word("in")
            {
                break;
            }
            all.push(self.single_target()?);
        }
        Ok(Target::Tuple(all))
    }

    fn single_target(&mut self) -> Result<Target> {
        if self.skip_operator("(") {
            let target = self.deeper(Self::target)?;
            self.operator(")")?;
            return Ok(target);
        }
        let name = self.name()?;
        if self.skip_operator(".") {
            return Ok(Target::Attribute(name, self.name()?));
        }
        Ok(Target::Name(name))
    }

    /// An expression, or several with commas between them; `choices` as in [`Self::expression`].
    fn tuple(&mut self, choices: bool) -> Result<Expr> {
        let one = |parser: &mut Self| {
            if choices { parser.expression() } else { parser.deeper(|parser| parser.binary(Level::Or)) }
        };
        let first = one(self)?;
        if !self.is_operator(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_operator(",") {
            if matches!(
                self.peek(),
                Some(Token::BlockEnd | Token::PrintEnd) | Some(Token::Operator(")" | "=")) | None
            ) {
                break;
            }
            items.push(one(self)?);
        }
        let depth = items.iter().map(|item| item.depth).max();
        node(Kind::Tuple(items), depth)
    }

    /// `a if b else c`, and all below it.
    fn expression(&mut self) -> Result<Expr> {
        self.deeper(|parser| {
            let mut value = parser.binary(Level::Or)?;
            while parser.skip_word("if") {
                let condition = parser.binary(Level::Or)?;
                let otherwise = if parser.skip_word("else") { Some(parser.expression()?) } else { None };
                let depth = [value.depth, condition.depth, otherwise.as_ref().map_or(0, |o| o.depth)];
                let otherwise = otherwise.map(Box::new);
                let kind = Kind::Choice { condition: condition.into(), then: value.into(), otherwise };
                value = node(kind, depth)?;
            }
            Ok(value)
        })
    }

    /// Operators that bind at least as tightly as `least`, and what they join.
    fn binary(&mut self, least: Level) -> Result<Expr> {
        let mut left = if least <= Level::Not && self.skip_word("not") {
            let inner = self.deeper(|parser| parser.binary(Level::Not))?;
            let depth = inner.depth;
            node(Kind::Not(inner.into()), [depth])?
        } else {
            self.unary(true)?
        };
        while let Some((level, operator)) = self.infix().filter(|(level, _)| *level >= least) {
            left = self.joined(left, level, operator)?;
        }
        Ok(left)
    }

    /// The operator that stands here, if one does.
    fn infix(&mut self) -> Option<(Level, Infix)> {
        let arithmetic = |level, operator| Some((level, Infix::Arithmetic(operator)));
        match self.peek()? {
            Token::Name(word) => match &**word {
                "or" => Some((Level::Or, Infix::Or)),
                "and" => Some((Level::And, Infix::And)),
                "in" | "not" => Some((Level::Compare, Infix::Compare)),
                _ => None,
            },
            Token::Operator(operator) => match *operator {
                "==" | "!=" | "<" | "<=" | ">" | ">=" => Some((Level::Compare, Infix::Compare)),
                "+" => arithmetic(Level::Sum, Operator::Add),
                "-" => arithmetic(Level::Sum, Operator::Subtract),
                "~" => Some((Level::Concat, Infix::Concat)),
                "*" => arithmetic(Level::Product, Operator::Multiply),
                "/" => arithmetic(Level::Product, Operator::Divide),
                "//" => arithmetic(Level::Product, Operator::FloorDivide),
                "%" => arithmetic(Level::Product, Operator::Remainder),
                "**" => arithmetic(Level::Power, Operator::Power),
                _ => None,
            },
            _ => None,
        }
    }

    /// `left`, the operator that stands here, and what stands behind it.
    fn joined(&mut self, left: Expr, level: Level, operator: Infix) -> Result<Expr> {
        if matches!(operator, Infix::Compare) {
            return self.comparisons(left);
        }
        self.next();
        let right = match level {
            Level::Or => self.binary(Level::And)?,
            Level::And => self.binary(Level::Not)?,
            Level::Sum => self.binary(Level::Concat)?,
            Level::Concat => self.binary(Level::Product)?,
            Level::Product => self.binary(Level::Power)?,
            Level::Not | Level::Compare | Level::Power => self.unary(true)?,
        };
        let depth = [left.depth, right.depth];
        match (operator, left) {
            // One after another they are one, so that a long chain is not deep.
            (Infix::Concat, Expr { kind: Kind::Concat(mut parts), depth }) => {
                let depth = [depth - 1, right.depth];
                parts.push(right);
                node(Kind::Concat(parts), depth)
            }
            (Infix::Concat, left) => node(Kind::Concat(vec![left, right]), depth),
            (Infix::Or, left) => node(Kind::Or(left.into(), right.into()), depth),
            (Infix::And, left) => node(Kind::And(left.into(), right.into()), depth),
            (Infix::Arithmetic(operator), left) => {
                node(Kind::Arithmetic(operator, left.into(), right.into()), depth)
            }
            (Infix::Compare, left) => Ok(left),
        }
    }

    /// `first < second == third …`, from behind the first on.
    fn comparisons(&mut self, first: Expr) -> Result<Expr> {
        let mut rest: Vec<(Comparison, Expr)> = Vec::new();
        loop {
            let comparison = match self.peek() {
                Some(Token::Operator("==")) => Comparison::Equal,
                Some(Token::Operator("!=")) => Comparison::NotEqual,
                Some(Token::Operator("<")) => Comparison::Less,
                Some(Token::Operator("<=")) => Comparison::LessOrEqual,
                Some(Token::Operator(">")) => Comparison::Greater,
                Some(Token::Operator(">=")) => Comparison::GreaterOrEqual,
                Some(Token::Name(name)) if &**name == "in" => Comparison::In,
                Some(Token::Name(name)) if &**name == "not" => Comparison::NotIn,
                _ => break,
            };
            self.next();
            if matches!(comparison, Comparison::NotIn) {
                self.word("in")?;
            }
            rest.push((comparison, self.binary(Level::Sum)?));
        }
        let depth = rest.iter().map(|(_, value)| value.depth).chain([first.depth]).max();
        node(Kind::Compare(first.into(), rest), depth)
    }

    fn unary(&mut self, filters: bool) -> Result<Expr> {
        let value = if self.skip_operator("-") {
            let inner = self.deeper(|parser| parser.unary(false))?;
            let depth = inner.depth;
            node(Kind::Negative(inner.into()), [depth])?
        } else if self.skip_operator("+") {
            let inner = self.deeper(|parser| parser.unary(false))?;
            let depth = inner.depth;
            node(Kind::Positive(inner.into()), [depth])?
        } else {
            self.primary()?
        };
        let value = self.postfix(value)?;
        if filters { self.filters(value) } else { Ok(value) }
    }

    fn primary(&mut self) -> Result<Expr> {
        let kind = match self.peek() {
            Some(Token::Name(_)) => {
                let name = self.name()?;
                match &*name {
                    "true" | "True" => Kind::Bool(true),
                    "false" | "False" => Kind::Bool(false),
                    "none" | "None" => Kind::None,
                    _ => Kind::Name(name),
                }
            }
            Some(Token::Str(_)) => {
                // Strings side by side are one.
                let mut text: Option<Arc<str>> = None;
                while let Some(Token::Str(part)) = self.peek() {
                    let part = Arc::clone(part);
                    self.next();
                    text = Some(text.map_or(Arc::clone(&part), |text| format!("{text}{part}").into()));
                }
                Kind::Str(text.unwrap_or_default())
            }
            Some(Token::Int(value)) => {
                let value = *value;
                self.next();
                Kind::Int(value)
            }
            Some(Token::Float(value)) => {
                let value = *value;
                self.next();
                Kind::Float(value)
            }
            Some(Token::Operator("(")) => {
                self.next();
                return self.parenthesis();
            }
            Some(Token::Operator("[")) => {
                self.next();
                let items = self.items("]")?;
                let depth = items.iter().map(|item| item.depth).max();
                return node(Kind::List(items), depth);
            }
            Some(Token::Operator("{")) => {
                self.next();
                return self.map();
            }
            _ => return Err(self.unexpected("a value")),
        };
        node(kind, [])
    }

    fn parenthesis(&mut self) -> Result<Expr> {
        if self.skip_operator(")") {
            return node(Kind::Tuple(Vec::new()), []);
        }
        let value = self.tuple(true)?;
        self.operator(")")?;
        Ok(value)
    }

    fn items(&mut self, end: &str) -> Result<Vec<Expr>> {
        let mut items = Vec::new();
        while !self.skip_operator(end) {
            items.push(self.expression()?);
            if !self.is_operator(end) {
                self.operator(",")?;
            }
        }
        Ok(items)
    }

    fn map(&mut self) -> Result<Expr> {
        let mut pairs = Vec::new();
        while !self.skip_operator("}") {
            let key = self.expression()?;
            self.operator(":")?;
            pairs.push((key, self.expression()?));
            if !self.is_operator("}") {
                self.operator(",")?;
            }
        }
        let depth = pairs.iter().map(|(key, value)| key.depth.max(value.depth)).max();
        node(Kind::Map(pairs), depth)
    }

    fn postfix(&mut self, mut value: Expr) -> Result<Expr> {
        loop {
            if self.skip_operator(".") {
                let depth = value.depth;
                if let Some(Token::Int(place)) = self.peek() {
                    let place = node(Kind::Int(*place), [])?;
                    self.next();
                    value = node(Kind::Item(value.into(), place.into()), [depth])?;
                } else {
                    value = node(Kind::Attribute(value.into(), self.name()?), [depth])?;
                }
            } else if self.skip_operator("[") {
                value = self.subscript(value)?;
            } else if self.skip_operator("(") {
                value = self.call(value)?;
            } else {
                return Ok(value);
            }
        }
    }

    /// Behind the opening parenthesis.
    fn call(&mut self, value: Expr) -> Result<Expr> {
        let given = self.given()?;
        let depth = [value.depth, depths(&given)];
        node(Kind::Call(value.into(), given), depth)
    }

    fn subscript(&mut self, value: Expr) -> Result<Expr> {
        let mut parts: [Option<Box<Expr>>; 3] = [None, None, None];
        let mut at = 0;
        loop {
            if self.skip_operator(":") {
                at += 1;
                if at == parts.len() {
                    return Err(self.unexpected("]"));
                }
            } else if self.skip_operator("]") {
                break;
            } else if parts[at].is_none() {
                parts[at] = Some(self.expression()?.into());
            } else {
                return Err(self.unexpected("]"));
            }
        }
        let depth = parts.iter().flatten().map(|part| part.depth).chain([value.depth]).max();
        match (at, parts) {
            (0, [Some(place), None, None]) => node(Kind::Item(value.into(), place), depth),
            (0, _) => Err(wrong("[] lacks a place")),
            (_, parts) => node(Kind::Slice(value.into(), parts), depth),
        }
    }

    /// Arguments, behind their opening bracket.
    fn given(&mut self) -> Result<Given> {
        let mut given = Given::default();
        while !self.skip_operator(")") {
            if self.is_operator("*") || self.is_operator("**") {
                return Err(wrong("lists and maps as arguments (*, **) are not supported"));
            }
            let value = self.expression()?;
            match value.kind {
                Kind::Name(ref name) if self.is_operator("=") => {
                    let name = Arc::clone(name);
                    self.next();
                    given.named.push((name, self.expression()?));
                }
                _ if given.named.is_empty() => given.positional.push(value),
                _ => return Err(wrong("an argument without a name follows one with a name")),
            }
            if !self.is_operator(")") {
                self.operator(",")?;
            }
        }
        Ok(given)
    }

    /// Filters and tests behind a value, and calls of their outcome.
    fn filters(&mut self, mut value: Expr) -> Result<Expr> {
        loop {
            if self.skip_operator("|") {
                let name = self.name()?;
                let given = if self.skip_operator("(") { self.given()? } else { Given::default() };
                let depth = [value.depth, depths(&given)];
                value = node(Kind::Filter(value.into(), name, given), depth)?;
            } else if self.skip_word("is") {
                value = self.test(value)?;
            } else if self.skip_operator("(") {
                value = self.call(value)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn test(&mut self, value: Expr) -> Result<Expr> {
        let negated = self.skip_word("not");
        let name = self.name()?;
        let given = match self.peek() {
            Some(Token::Operator("(")) => {
                self.next();
                self.given()?
            }
            Some(Token::Name(word))
                if matches!(&**word, "else" | "or" | "and" | "if" | "in" | "not" | "is") =>
            {
                Given::default()
            }
            Some(
                Token::Name(_) | Token::Str(_) | Token::Int(_) | Token::Float(_) | Token::Operator("[" | "{"),
            ) => {
                let argument = self.primary()?;
                Given { positional: vec![self.postfix(argument)?], named: Vec::new() }
            }
            _ => Given::default(),
        };
        let depth = [value.depth, depths(&given)];
        node(Kind::Test { value: value.into(), name, given, negated }, depth)
    }
}
