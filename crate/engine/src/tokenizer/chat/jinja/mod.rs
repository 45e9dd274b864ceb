//! Jinja as chat templates are written in it, run in minijinja as Python's jinja2 runs them (sandboxed, `trim_blocks`,
//! `lstrip_blocks`, loop controls) and as `transformers` calls it (`raise_exception`, `strftime_now`, `tojson` as
//! `json.dumps`, `{% generation %}`).
//!
//! minijinja reads a template, compiles it and runs its names, scopes, branches, loops and macros. A template comes out
//! of a file that anybody may have made, and minijinja counts instructions, not bytes: so before it compiles the tree,
//! [`rewrite`] exchanges everything whose cost depends on a value for operations of this room, which pay for it out of
//! one [`Budget`] before they do it. They also compute as Python does, where minijinja differs. Depth is bounded apart
//! from that, in the text, in values and in calls, since recursion takes stack. What no chat template is known to use is
//! refused by name.

mod arguments;
mod budget;
mod fault;
mod filters;
mod format;
mod json;
mod methods;
mod operations;
mod operators;
mod predicates;
mod rewrite;
mod run;
mod source;
mod text;
mod value;

pub(super) use budget::Budget;
pub(super) use fault::Fault;
pub(super) use run::{Program, parse, read, run};
pub(super) use value::Value;
