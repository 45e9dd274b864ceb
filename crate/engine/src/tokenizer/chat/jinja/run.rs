//! Runs a template in minijinja.

use minijinja::machinery::{CodeGenerator, Vm, make_string_output};
use minijinja::{AutoEscape, Environment, ErrorKind};

use super::budget::{Budget, INSTRUCTION};
use super::fault::{Fault, Result};
use super::operations::Run;
use super::rewrite::tree;
use super::source::prepared;
use super::text::Text;
use super::value::Value;

/// Loops, blocks with names of their own, and four for each call of a macro, inside each other; recursion takes stack.
const MAX_DEPTH: usize = 120;

/// A template that may be run.
pub(in super::super) struct Program {
    source: String,
    /// Variables that switch thinking on and off, of those that it looks at.
    pub(in super::super) switches: Vec<&'static str>,
}

/// Parses a template.
///
/// # Errors
/// It is no Jinja, or nests too deeply, or uses what is not supported.
pub(in super::super) fn parse(source: &str) -> Result<Program> {
    let program = read(source)?;
    tree(&program.source)?;
    Ok(program)
}

/// As [`parse`], for one run: what does not parse is told by that.
///
/// # Errors
/// Its tokens are no Jinja, or nest too deeply.
pub(in super::super) fn read(source: &str) -> Result<Program> {
    let (source, switches) = prepared(source)?;
    Ok(Program { source, switches })
}

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
    let mut environment = Environment::empty();
    environment.set_fuel(Some(budget.total() / INSTRUCTION));
    environment.set_recursion_limit(MAX_DEPTH);
    Run { budget: budget.clone(), now }.register(&mut environment);
    for (name, value) in values {
        environment.add_global(name.to_owned(), value);
    }
    // All that is written comes by here.
    let writing = budget.clone();
    environment.set_formatter(move |out, state, value| {
        writing.steps(state)?;
        let written = if let Some(text) = value.as_str() {
            writing.spend(text.len() as u64)?;
            out.write_str(text)
        } else {
            let mut text = Text::new(&writing);
            Value::of(value).print(&mut text)?;
            out.write_str(&text.finish())
        };
        written.map_err(|_| ErrorKind::WriteFailure.into())
    });
    // minijinja keeps no trees, and what it compiles borrows the text.
    let mut generator = CodeGenerator::new("template", &program.source);
    generator.compile_stmt(&tree(&program.source)?);
    let (instructions, blocks) = generator.finish();
    let mut text = String::new();
    let mut out = make_string_output(&mut text);
    let undefined = minijinja::Value::UNDEFINED;
    let result = Vm::new(&environment).eval(&instructions, undefined, &blocks, &mut out, AutoEscape::None);
    result.map_err(|error| Fault::of(&error, budget.total()))?;
    Ok(text)
}
