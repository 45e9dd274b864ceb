//! Runs a parsed template.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::DateTime;

use super::arguments::Arguments;
use super::ast::{Expr, For, Given, Kind, Node, Statement, Target, Tree};
use super::budget::{Budget, STEP};
use super::fault::{Fault, Result, quoted, wrong};
use super::filters::filter;
use super::methods;
use super::operators::{arithmetic, compare, item, negative, slice};
use super::parser::Program;
use super::predicates::test;
use super::text::Text;
use super::value::{Function, Loop, MacroAt, Value};

/// Levels of blocks, expressions and calls inside each other; recursion takes stack.
const MAX_DEPTH: u32 = 200;

/// Most elements of a `range`, as in jinja2's sandbox.
const MAX_RANGE: i64 = 100_000;

/// Runs `program` on `values`; `now` is the time for `strftime_now`, seconds since 1970 on the visitor's clock.
///
/// # Errors
/// The template does something wrong, refuses, or uses up its budget.
pub(in super::super) fn run(
    program: &Program,
    values: Vec<(&str, Value)>,
    now: Option<i64>,
    budget: &Budget,
) -> Result<String> {
    let names = values.into_iter().map(|(name, value)| (name.into(), value)).collect();
    let root = Scope { id: 0, parent: None, names };
    let mut interpreter = Interpreter {
        tree: &program.tree,
        now,
        budget,
        scopes: vec![root],
        made: 1,
        namespaces: Vec::new(),
        out: vec![Text::new(budget)],
        depth: 0,
    };
    interpreter.block(&program.tree.body)?;
    Ok(interpreter.out.pop().map(Text::finish).unwrap_or_default())
}

/// What follows a statement.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// Names of a block.
struct Scope {
    /// No two of a run have the same.
    id: u64,
    /// Place of the scope around it.
    parent: Option<usize>,
    names: HashMap<Arc<str>, Value>,
}

struct Interpreter<'a> {
    tree: &'a Tree,
    now: Option<i64>,
    budget: &'a Budget,
    /// The last is the present one.
    scopes: Vec<Scope>,
    /// Scopes made so far.
    made: u64,
    namespaces: Vec<HashMap<Arc<str>, Value>>,
    /// The last is written to; those before wait for it to be captured.
    out: Vec<Text<'a>>,
    depth: u32,
}

impl<'a> Interpreter<'a> {
    fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return Err(wrong(format!("recursion: it calls itself or nests more than {MAX_DEPTH} deep")));
        }
        self.budget.spend(STEP)?;
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.out.last_mut().map_or(Ok(()), |out| out.push(text))
    }

    /// What `run` writes, and what follows it.
    fn captured(&mut self, run: impl FnOnce(&mut Self) -> Result<Flow>) -> Result<(Value, Flow)> {
        self.out.push(Text::new(self.budget));
        let flow = run(self);
        let text = self.out.pop().map(Text::finish).unwrap_or_default();
        Ok((Value::Str(text.into()), flow?))
    }

    /// Runs with names of its own inside those of the scope at `parent`.
    fn scoped<T>(&mut self, parent: usize, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.budget.places(4)?;
        let present = self.scopes.len();
        self.scopes.push(Scope { id: self.made, parent: Some(parent), names: HashMap::new() });
        self.made += 1;
        let result = run(self);
        self.scopes.truncate(present);
        result
    }

    fn present(&self) -> usize {
        self.scopes.len() - 1
    }

    fn lookup(&self, name: &str) -> Result<Value> {
        let mut at = Some(self.present());
        while let Some(place) = at {
            self.budget.spend(STEP)?;
            let scope = &self.scopes[place];
            if let Some(value) = scope.names.get(name) {
                return Ok(value.clone());
            }
            at = scope.parent;
        }
        Ok(match name {
            "range" => Value::Function(Function::Range),
            "namespace" => Value::Function(Function::Namespace),
            "dict" => Value::Function(Function::Dict),
            "raise_exception" => Value::Function(Function::RaiseException),
            "strftime_now" if self.now.is_some() => Value::Function(Function::StrftimeNow),
            _ => Value::Undefined,
        })
    }

    fn store(&mut self, name: &Arc<str>, value: Value) -> Result<()> {
        self.budget.places(2)?;
        if let Some(scope) = self.scopes.last_mut() {
            scope.names.insert(Arc::clone(name), value);
        }
        Ok(())
    }

    fn assign(&mut self, target: &Target, value: Value) -> Result<()> {
        match target {
            Target::Name(name) => self.store(name, value),
            Target::Attribute(name, attribute) => {
                let Value::Namespace(number) = self.lookup(name)? else {
                    return Err(wrong(format!(
                        "{} is no namespace, so nothing in it can be set",
                        quoted(name)
                    )));
                };
                self.budget.places(2)?;
                if let Some(namespace) = self.namespaces.get_mut(number) {
                    namespace.insert(Arc::clone(attribute), value);
                }
                Ok(())
            }
            Target::Tuple(targets) => {
                let values = value.iterate(self.budget)?;
                if values.len() != targets.len() {
                    let (have, want) = (values.len(), targets.len());
                    return Err(wrong(format!("{have} values are given to {want} names")));
                }
                targets.iter().zip(values).try_for_each(|(target, value)| self.assign(target, value))
            }
        }
    }

    fn block(&mut self, body: &'a [Statement]) -> Result<Flow> {
        self.deeper(|run| {
            for statement in body {
                run.budget.spend(STEP)?;
                let flow = run.statement(&statement.node).map_err(|fault| fault.at(statement.line))?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
            }
            Ok(Flow::Next)
        })
    }

    fn statement(&mut self, node: &'a Node) -> Result<Flow> {
        match node {
            Node::Text(text) => self.write(text)?,
            Node::Print(value) => {
                let value = self.value(value)?;
                if let Some(out) = self.out.last_mut() {
                    value.print(out)?;
                }
            }
            Node::If(branches) => {
                for (condition, body) in branches {
                    let taken = match condition {
                        Some(condition) => self.value(condition)?.truthy(),
                        None => true,
                    };
                    if taken {
                        return self.block(body);
                    }
                }
            }
            Node::For(node) => return self.for_loop(node),
            Node::Set(target, value) => {
                let value = self.value(value)?;
                self.assign(target, value)?;
            }
            Node::SetBlock(target, body) => {
                let present = self.present();
                let (text, flow) = self.captured(|run| run.scoped(present, |run| run.block(body)))?;
                self.assign(target, text)?;
                return Ok(flow);
            }
            Node::Macro(index) => {
                let scope = self.present();
                let at = MacroAt { index: *index, scope, scope_id: self.scopes[scope].id };
                self.store(&self.tree.macros[*index].name, Value::Macro(at))?;
            }
            Node::With(values, body) => {
                let present = self.present();
                let mut given = Vec::new();
                for (target, value) in values {
                    given.push((target, self.value(value)?));
                }
                return self.scoped(present, |run| {
                    given.into_iter().try_for_each(|(target, value)| run.assign(target, value))?;
                    run.block(body)
                });
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn for_loop(&mut self, node: &'a For) -> Result<Flow> {
        let over = self.value(&node.over)?;
        let mut items = over.iterate(self.budget)?;
        let present = self.present();
        if let Some(condition) = &node.condition {
            let mut kept = Vec::new();
            for item in items {
                let keep = self.scoped(present, |run| {
                    run.assign(&node.target, item.clone())?;
                    Ok(run.value(condition)?.truthy())
                })?;
                if keep {
                    kept.push(item);
                }
            }
            items = kept;
        }
        if items.is_empty() {
            return self.scoped(present, |run| run.block(&node.otherwise));
        }
        let Value::List(items) = Value::list(items, self.budget)? else { return Ok(Flow::Next) };
        let name: Arc<str> = "loop".into();
        for (index, item) in items.items.iter().enumerate() {
            let at = Value::Loop(Arc::new(Loop { items: Arc::clone(&items), index }));
            let flow = self.scoped(present, |run| {
                run.store(&name, at)?;
                run.assign(&node.target, item.clone())?;
                run.block(&node.body)
            })?;
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    fn values(&mut self, all: &'a [Expr]) -> Result<Vec<Value>> {
        self.budget.places(all.len())?;
        all.iter().map(|value| self.value(value)).collect()
    }

    fn value(&mut self, expr: &'a Expr) -> Result<Value> {
        self.deeper(|run| match &expr.kind {
            Kind::None => Ok(Value::None),
            Kind::Bool(value) => Ok(Value::Bool(*value)),
            Kind::Int(value) => Ok(Value::Int(*value)),
            Kind::Float(value) => Ok(Value::Float(*value)),
            Kind::Str(text) => Ok(Value::Str(Arc::clone(text))),
            Kind::Name(name) => run.lookup(name),
            Kind::And(a, b) => {
                let a = run.value(a)?;
                if a.truthy() { run.value(b) } else { Ok(a) }
            }
            Kind::Or(a, b) => {
                let a = run.value(a)?;
                if a.truthy() { Ok(a) } else { run.value(b) }
            }
            Kind::Not(value) => Ok(Value::Bool(!run.value(value)?.truthy())),
            Kind::Choice { condition, then, otherwise } => {
                match (run.value(condition)?.truthy(), otherwise) {
                    (true, _) => run.value(then),
                    (false, Some(otherwise)) => run.value(otherwise),
                    (false, None) => Ok(Value::Undefined),
                }
            }
            kind => run.composed(kind),
        })
    }

    fn composed(&mut self, kind: &'a Kind) -> Result<Value> {
        match kind {
            Kind::List(items) => Value::list(self.values(items)?, self.budget),
            Kind::Tuple(items) => Value::tuple(self.values(items)?, self.budget),
            Kind::Map(pairs) => {
                let mut entries = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    entries.push((self.value(key)?, self.value(value)?));
                }
                Value::map(entries, self.budget)
            }
            Kind::Negative(value) => negative(&self.value(value)?),
            Kind::Positive(value) => self.value(value),
            Kind::Arithmetic(operator, a, b) => {
                let a = self.value(a)?;
                let b = self.value(b)?;
                arithmetic(*operator, &a, &b, self.budget)
            }
            Kind::Concat(parts) => {
                let mut text = Text::new(self.budget);
                for part in parts {
                    self.value(part)?.print(&mut text)?;
                }
                Ok(Value::Str(text.finish().into()))
            }
            Kind::Compare(first, rest) => {
                let mut left = self.value(first)?;
                for (comparison, right) in rest {
                    let right = self.value(right)?;
                    if !compare(*comparison, &left, &right, self.budget)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            Kind::Attribute(value, name) => {
                let of = self.value(value)?;
                self.attribute(&of, name, value)
            }
            Kind::Item(value, place) => {
                let of = self.value(value)?;
                let place = self.value(place)?;
                match (&of, &place) {
                    (Value::Undefined, _) => Err(undefined(value)),
                    (Value::Loop(_) | Value::Namespace(_), Value::Str(name)) => {
                        self.attribute(&of, name, value)
                    }
                    _ => item(&of, &place, self.budget),
                }
            }
            Kind::Slice(value, bounds) => {
                let value = self.value(value)?;
                let mut numbers = [None; 3];
                for (number, bound) in numbers.iter_mut().zip(bounds) {
                    *number = match bound.as_ref().map(|bound| self.value(bound)).transpose()? {
                        None | Some(Value::None) => None,
                        Some(bound) => match bound.as_int() {
                            Some(bound) => Some(bound),
                            None => return Err(wrong(format!("a slice ends at a {}", bound.kind()))),
                        },
                    };
                }
                slice(&value, numbers, self.budget)
            }
            Kind::Filter(value, name, given) => {
                let value = self.value(value)?;
                let given = self.given(given)?;
                filter(&value, name, given, self.budget)
            }
            Kind::Test { value, name, given, negated } => {
                let value = self.value(value)?;
                let given = self.given(given)?;
                Ok(Value::Bool(test(&value, name, given, self.budget)? != *negated))
            }
            Kind::Call(callee, given) => self.call(callee, given),
            // Those that `value` has done already.
            _ => Ok(Value::Undefined),
        }
    }

    fn given(&mut self, given: &'a Given) -> Result<Arguments> {
        let positional = self.values(&given.positional)?.into();
        let mut named = Vec::with_capacity(given.named.len());
        for (name, value) in &given.named {
            self.budget.places(2)?;
            named.push((Arc::clone(name), self.value(value)?));
        }
        Ok(Arguments { positional, named })
    }

    fn attribute(&mut self, of: &Value, name: &Arc<str>, expr: &Expr) -> Result<Value> {
        match of {
            Value::Undefined => Err(undefined(expr)),
            Value::Map(_) => {
                Ok(of.key(&Value::Str(Arc::clone(name)), self.budget)?.unwrap_or(Value::Undefined))
            }
            Value::Namespace(number) => {
                let namespace = self.namespaces.get(*number);
                Ok(namespace.and_then(|names| names.get(name)).cloned().unwrap_or(Value::Undefined))
            }
            Value::Loop(at) => Ok(loop_attribute(at, name)),
            _ => Ok(Value::Undefined),
        }
    }

    fn call(&mut self, callee: &'a Expr, given: &'a Given) -> Result<Value> {
        let (function, name) = match &callee.kind {
            Kind::Attribute(value, name) => {
                let of = self.value(value)?;
                let callable = match &of {
                    Value::Namespace(_) | Value::Undefined => Some(self.attribute(&of, name, value)?),
                    Value::Map(_) => {
                        let found = of.key(&Value::Str(Arc::clone(name)), self.budget)?;
                        found.filter(|found| matches!(found, Value::Macro(_) | Value::Function(_)))
                    }
                    _ => None,
                };
                let given = self.given(given)?;
                match (callable, &of) {
                    (Some(function), _) => return self.call_value(&function, name, given),
                    (None, Value::Loop(at)) => return cycle(at, name, given),
                    (None, _) => return methods::call(&of, name, given, self.budget),
                }
            }
            Kind::Name(name) => (self.lookup(name)?, &**name),
            _ => (self.value(callee)?, "what is called"),
        };
        let given = self.given(given)?;
        self.call_value(&function, name, given)
    }

    fn call_value(&mut self, function: &Value, name: &str, mut given: Arguments) -> Result<Value> {
        match function {
            Value::Macro(at) => self.call_macro(*at, given),
            Value::Function(Function::Range) => {
                let first = given.next_int("start")?.ok_or_else(|| wrong("range needs a number"))?;
                let (start, stop) = match given.next_int("stop")? {
                    Some(stop) => (first, stop),
                    None => (0, first),
                };
                let step = given.next_int("step")?.unwrap_or(1);
                given.finish()?;
                self.range(start, stop, step)
            }
            Value::Function(Function::Namespace) => {
                let mut names = HashMap::new();
                if let Some(Value::Map(map)) = given.positional.pop_front() {
                    self.budget.places(map.entries.len() * 2)?;
                    for (key, value) in &map.entries {
                        names.insert(key.text(self.budget)?, value.clone());
                    }
                }
                names.extend(given.named.drain(..));
                given.finish()?;
                self.budget.places(4)?;
                self.namespaces.push(names);
                Ok(Value::Namespace(self.namespaces.len() - 1))
            }
            Value::Function(Function::Dict) => {
                let mut entries = Vec::new();
                if let Some(Value::Map(map)) = given.positional.pop_front() {
                    self.budget.places(map.entries.len())?;
                    entries.extend(map.entries.iter().cloned());
                }
                entries.extend(given.named.drain(..).map(|(name, value)| (Value::Str(name), value)));
                given.finish()?;
                Value::map(entries, self.budget)
            }
            Value::Function(Function::RaiseException) => {
                let message = given.need("message")?.text(self.budget)?;
                Err(Fault::Raised(message.to_string()))
            }
            Value::Function(Function::StrftimeNow) => {
                let pattern = given.need_str("format")?;
                given.finish()?;
                // A directive of two characters becomes a few dozen at most.
                self.budget.spend((pattern.len() as u64).saturating_mul(32))?;
                let now = DateTime::from_timestamp(self.now.unwrap_or_default(), 0).unwrap_or_default();
                let mut text = String::new();
                write!(text, "{}", now.naive_utc().format(&pattern)).map_err(|_| {
                    wrong(format!("strftime_now does not know the format {:?}", quoted(&pattern)))
                })?;
                Ok(Value::Str(text.into()))
            }
            Value::Undefined => Err(wrong(format!("{} is unknown", quoted(name)))),
            other => Err(wrong(format!("{} is a {}, which cannot be called", quoted(name), other.kind()))),
        }
    }

    fn range(&mut self, start: i64, stop: i64, step: i64) -> Result<Value> {
        let span = if step > 0 {
            i128::from(stop) - i128::from(start)
        } else {
            i128::from(start) - i128::from(stop)
        };
        let size = i128::from(step).abs();
        if size == 0 {
            return Err(wrong("range: the step is zero"));
        }
        let count = if span > 0 { (span + size - 1) / size } else { 0 };
        if count > i128::from(MAX_RANGE) {
            return Err(wrong(format!("range: more than {MAX_RANGE} numbers")));
        }
        self.budget.places(count as usize)?;
        let number = |at: i128| Value::Int((i128::from(start) + at * i128::from(step)) as i64);
        let numbers = (0..count).map(number).collect();
        Value::list(numbers, self.budget)
    }

    fn call_macro(&mut self, at: MacroAt, mut given: Arguments) -> Result<Value> {
        let tree = self.tree;
        let Some(called) = tree.macros.get(at.index) else { return Ok(Value::Undefined) };
        if self.scopes.get(at.scope).is_none_or(|scope| scope.id != at.scope_id) {
            return Err(wrong(format!("the block that {} was defined in is over", quoted(&called.name))));
        }
        self.scoped(at.scope, |run| {
            for (name, default) in &called.parameters {
                let value = match (given.next(name), default) {
                    (Some(value), _) => value,
                    (None, Some(default)) => run.value(default)?,
                    (None, None) => Value::Undefined,
                };
                run.store(name, value)?;
            }
            given.finish()?;
            Ok(run.captured(|run| run.block(&called.body))?.0)
        })
    }
}

fn undefined(expr: &Expr) -> Fault {
    match &expr.kind {
        Kind::Name(name) => wrong(format!("{} is undefined", quoted(name))),
        Kind::Attribute(_, name) => wrong(format!("the attribute {} is undefined", quoted(name))),
        _ => wrong("something of an undefined value is asked for"),
    }
}

fn loop_attribute(at: &Loop, name: &str) -> Value {
    let length = at.items.items.len();
    let number = |value: usize| Value::Int(value as i64);
    let neighbour = |place: Option<usize>| {
        place.and_then(|place| at.items.items.get(place)).cloned().unwrap_or(Value::Undefined)
    };
    match name {
        "index" => number(at.index + 1),
        "index0" => number(at.index),
        "revindex" => number(length - at.index),
        "revindex0" => number(length - at.index - 1),
        "first" => Value::Bool(at.index == 0),
        "last" => Value::Bool(at.index + 1 == length),
        "length" => number(length),
        // Only recursive loops are deeper.
        "depth" => number(1),
        "depth0" => number(0),
        "previtem" => neighbour(at.index.checked_sub(1)),
        "nextitem" => neighbour(at.index.checked_add(1)),
        _ => Value::Undefined,
    }
}

fn cycle(at: &Loop, name: &str, given: Arguments) -> Result<Value> {
    let values = given.positional;
    match name {
        "cycle" if !values.is_empty() => Ok(values[at.index % values.len()].clone()),
        other => Err(wrong(format!("loop.{} is not supported", quoted(other)))),
    }
}
