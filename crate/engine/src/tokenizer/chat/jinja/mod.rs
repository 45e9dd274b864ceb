//! Jinja as chat templates are written in it, run as Python's jinja2 runs them (sandboxed, `trim_blocks`,
//! `lstrip_blocks`, loop controls) and as `transformers` calls it (`raise_exception`, `strftime_now`, `tojson` as
//! `json.dumps`, `{% generation %}`).
//!
//! A template comes out of a file that anybody may have made, so every operation is paid for out of one
//! [`Budget`]: a byte it reads or writes costs one, a step eight, a place in a list 32. Time and memory of a run
//! are bounded by it, whatever the template does. Depth is bounded apart from that, in the parser, in values and in
//! calls, since recursion takes stack. What no chat template is known to use is refused by name.

mod arguments;
mod ast;
mod budget;
mod fault;
mod filters;
mod format;
mod interpreter;
mod json;
mod lexer;
mod methods;
mod operators;
mod parser;
mod predicates;
mod text;
mod value;

pub(super) use budget::Budget;
pub(super) use fault::Fault;
pub(super) use interpreter::run;
pub(super) use parser::{Program, parse};
pub(super) use value::Value;
