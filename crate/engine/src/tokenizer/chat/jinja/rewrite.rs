//! minijinja's syntax tree with everything that takes more than a fixed time or memory exchanged for calls of checked
//! operations ([`super::operations`]). What is left to minijinja moves values about: names, scopes, branches, loops,
//! macros, arguments. What no chat template is known to use is refused.

use std::cell::RefCell;
use std::collections::BTreeSet;

use minijinja::Value;
use minijinja::machinery::ast::{
    BinOpKind, Call, CallArg, CompareOpKind, Const, EmitExpr, Expr, Filter, ForLoop, IfCond, IfExpr, List,
    Macro, Set, SetBlock, Spanned, Stmt, Template, UnaryOp, UnaryOpKind, Var, WithBlock,
};
use minijinja::machinery::{Span, ast, parse};

use super::fault::{Fault, Result, wrong};
use super::source::SPACE;

/// Parameters of a macro, names that a namespace begins with, and attributes of namespaces that are set: minijinja goes
/// through all of them in one instruction.
pub(super) const MAX_NAMES: usize = 64;

/// The tree of a [prepared](super::source::prepared) text.
pub(super) fn tree(source: &str) -> Result<Stmt<'_>> {
    let parsed = parse(source, "template", Default::default(), SPACE);
    let Stmt::Template(parsed) = parsed.map_err(|error| Fault::of(&error, 0))? else {
        return Err(wrong("it is no template"));
    };
    let children =
        Rewriter { source, attributes: RefCell::default() }.block(&parsed.children, Breaks::Nothing)?;
    Ok(Stmt::Template(Spanned::new(Template { children }, parsed.span())))
}

/// What `break` and `continue` would jump out of.
#[derive(Clone, Copy, PartialEq)]
enum Breaks {
    Nothing,
    Loop,
    /// A block whose end minijinja would pass over, or a loop with an `else`: whether that runs then, jinja2 tells in
    /// another way.
    Other,
}

struct Rewriter<'a> {
    source: &'a str,
    /// Attributes of namespaces that are set somewhere.
    attributes: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Rewriter<'a> {
    fn block(&self, body: &[Stmt<'a>], breaks: Breaks) -> Result<Vec<Stmt<'a>>> {
        let mut out = Vec::with_capacity(body.len());
        for statement in body {
            self.statement(statement, breaks, &mut out)?;
        }
        Ok(out)
    }

    fn statement(&self, statement: &Stmt<'a>, breaks: Breaks, out: &mut Vec<Stmt<'a>>) -> Result<()> {
        let inner = if breaks == Breaks::Nothing { breaks } else { Breaks::Other };
        let rewritten = match statement {
            Stmt::EmitExpr(emit) => {
                let expr = self.expr(&emit.expr)?;
                Stmt::EmitExpr(Spanned::new(EmitExpr { expr }, emit.span()))
            }
            // By way of the formatter, which counts.
            Stmt::EmitRaw(text) => {
                let expr = constant(text.raw, text.span());
                Stmt::EmitExpr(Spanned::new(EmitExpr { expr }, text.span()))
            }
            Stmt::ForLoop(node) => self.for_loop(node, breaks)?,
            Stmt::IfCond(node) => {
                let expr = self.expr(&node.expr)?;
                let true_body = self.block(&node.true_body, breaks)?;
                let false_body = self.block(&node.false_body, breaks)?;
                Stmt::IfCond(Spanned::new(IfCond { expr, true_body, false_body }, node.span()))
            }
            Stmt::WithBlock(node) => {
                let (mut targets, mut values) = (Vec::new(), Vec::new());
                for (target, value) in &node.assignments {
                    targets.push(self.target(target, &mut false)?);
                    values.push(self.expr(value)?);
                }
                // Together, as none sees another.
                let assignments = match targets.is_empty() {
                    true => Vec::new(),
                    false => vec![(list(targets, node.span()), list(values, node.span()))],
                };
                with(assignments, self.block(&node.body, inner)?, node.span())
            }
            Stmt::Set(node) => {
                let mut held = false;
                let target = self.target(&node.target, &mut held)?;
                let expr = self.set_value(&node.expr)?;
                let expr = if held { call("@held", expr, [], node.span()) } else { expr };
                Stmt::Set(Spanned::new(Set { target, expr }, node.span()))
            }
            Stmt::SetBlock(node) => {
                if node.filter.is_some() {
                    let fault = wrong("a filter of a block is not supported");
                    return Err(fault.at(node.span().start_line.into()));
                }
                let target = self.target(&node.target, &mut false)?;
                let body = vec![with(Vec::new(), self.block(&node.body, inner)?, node.span())];
                Stmt::SetBlock(Spanned::new(SetBlock { target, filter: None, body }, node.span()))
            }
            Stmt::Macro(node) => {
                out.push(pay("@macro", node.span()));
                Stmt::Macro(Spanned::new(self.definition(node)?, node.span()))
            }
            Stmt::Continue(node) if breaks == Breaks::Loop => {
                Stmt::Continue(Spanned::new(ast::Continue, node.span()))
            }
            Stmt::Break(node) if breaks == Breaks::Loop => Stmt::Break(Spanned::new(ast::Break, node.span())),
            Stmt::Continue(node) => return Err(no_way_out(node.span())),
            Stmt::Break(node) => return Err(no_way_out(node.span())),
            _ => return Err(wrong("a tag of this kind is not supported")),
        };
        out.push(rewritten);
        Ok(())
    }

    fn for_loop(&self, node: &ForLoop<'a>, breaks: Breaks) -> Result<Stmt<'a>> {
        if node.recursive {
            let fault = wrong("a recursive loop is not supported");
            return Err(fault.at(node.iter.span().start_line.into()));
        }
        let iter = self.expr(&node.iter)?;
        let span = node.iter.span();
        let body = if node.else_body.is_empty() { Breaks::Loop } else { Breaks::Other };
        let node = ForLoop {
            target: self.target(&node.target, &mut false)?,
            iter: call("@iter", iter, [], span),
            filter_expr: node.filter_expr.as_ref().map(|expr| self.expr(expr)).transpose()?,
            recursive: false,
            body: self.block(&node.body, body)?,
            else_body: self.block(&node.else_body, breaks)?,
        };
        Ok(Stmt::ForLoop(Spanned::new(node, span)))
    }

    fn definition(&self, node: &Spanned<Macro<'a>>) -> Result<Macro<'a>> {
        let span = node.span();
        if node.args.len() > MAX_NAMES {
            let fault = wrong(format!("a macro has more than {MAX_NAMES} parameters"));
            return Err(fault.at(span.start_line.into()));
        }
        let args = node.args.iter().map(|arg| self.target(arg, &mut false)).collect::<Result<Vec<_>>>()?;
        let mut body = vec![pay("@call", span)];
        // One after the other, as a default may name a parameter before it; minijinja begins with the last.
        let with_default = node.args.iter().skip(node.args.len() - node.defaults.len());
        for (arg, default) in with_default.zip(&node.defaults) {
            let missing = [constant("undefined", span)];
            let missing = call("@test", self.target(arg, &mut false)?, missing, span);
            let set = Set { target: self.target(arg, &mut false)?, expr: self.expr(default)? };
            let true_body = vec![Stmt::Set(Spanned::new(set, span))];
            let choice = IfCond { expr: missing, true_body, false_body: Vec::new() };
            body.push(Stmt::IfCond(Spanned::new(choice, span)));
        }
        body.extend(self.block(&node.body, Breaks::Nothing)?);
        Ok(Macro { name: node.name, args, defaults: Vec::new(), body })
    }

    /// What a value is given to; whether that is in a namespace goes to `held`.
    fn target(&self, target: &Expr<'a>, held: &mut bool) -> Result<Expr<'a>> {
        Ok(match target {
            Expr::Var(name) => variable(name.id, name.span()),
            Expr::List(targets) => {
                let items = targets.items.iter().map(|target| self.target(target, held));
                list(items.collect::<Result<_>>()?, targets.span())
            }
            Expr::GetAttr(node) => {
                let Expr::Var(name) = &node.expr else {
                    return Err(wrong("only a namespace has attributes that can be set"));
                };
                *held = true;
                let mut attributes = self.attributes.borrow_mut();
                attributes.insert(node.name);
                if attributes.len() > MAX_NAMES {
                    return Err(wrong(format!("more than {MAX_NAMES} attributes of namespaces are set")));
                }
                let expr = variable(name.id, name.span());
                Expr::GetAttr(Spanned::new(ast::GetAttr { expr, name: node.name }, node.span()))
            }
            _ => return Err(wrong("only names can be set")),
        })
    }

    /// The value of a `set`, which may be a tuple without brackets.
    fn set_value(&self, value: &Expr<'a>) -> Result<Expr<'a>> {
        match value {
            Expr::List(node) => {
                // The span of such a one begins behind its first comma.
                let bare = |first: &Expr<'_>| first.span().start_offset < node.span().start_offset;
                self.list(node, node.items.first().is_some_and(bare))
            }
            value => self.expr(value),
        }
    }

    fn list(&self, node: &Spanned<List<'a>>, bare: bool) -> Result<Expr<'a>> {
        let bracket = self.source.as_bytes().get(node.span().start_offset as usize) == Some(&b'[');
        let name = if bracket && !bare { "@list" } else { "@tuple" };
        let items = node.items.iter().map(|item| self.expr(item)).collect::<Result<_>>()?;
        Ok(call(name, list(items, node.span()), [], node.span()))
    }

    fn expr(&self, expr: &Expr<'a>) -> Result<Expr<'a>> {
        self.checked(expr).map_err(|fault| fault.at(expr.span().start_line.into()))
    }

    fn checked(&self, expr: &Expr<'a>) -> Result<Expr<'a>> {
        let span = expr.span();
        Ok(match expr {
            Expr::Var(name) => variable(name.id, span),
            Expr::Const(node) if node.value.is_integer() && node.value.as_i64().is_none() => {
                return Err(wrong(format!("{} is too large a number", node.value)));
            }
            Expr::Const(node) => constant(node.value.clone(), span),
            Expr::UnaryOp(node) => {
                let expr = self.expr(&node.expr)?;
                match node.op {
                    UnaryOpKind::Not => {
                        Expr::UnaryOp(Spanned::new(UnaryOp { op: UnaryOpKind::Not, expr }, span))
                    }
                    UnaryOpKind::Neg => call("@neg", expr, [], span),
                }
            }
            Expr::BinOp(node) => self.binary(node)?,
            Expr::Compare(node) => {
                let mut rest = Vec::new();
                for link in &node.ops {
                    rest.push(constant(sign_of(link.op), span));
                    rest.push(self.expr(&link.expr)?);
                }
                call("@compare", self.expr(&node.expr)?, rest, span)
            }
            Expr::IfExpr(node) => {
                let node = IfExpr {
                    test_expr: self.expr(&node.test_expr)?,
                    true_expr: self.expr(&node.true_expr)?,
                    false_expr: node.false_expr.as_ref().map(|expr| self.expr(expr)).transpose()?,
                };
                Expr::IfExpr(Spanned::new(node, span))
            }
            Expr::Filter(node) => {
                let value = node.expr.as_ref().ok_or_else(|| wrong("a filter of nothing"))?;
                self.named("@filter", self.expr(value)?, node.name, &node.args, span)?
            }
            Expr::Test(node) => self.named("@test", self.expr(&node.expr)?, node.name, &node.args, span)?,
            Expr::List(node) => self.list(node, false)?,
            Expr::Map(node) => {
                let pairs = node.keys.iter().zip(&node.values).flat_map(|(key, value)| [key, value]);
                let pairs = pairs.map(|expr| self.expr(expr)).collect::<Result<_>>()?;
                call("@map", list(pairs, span), [], span)
            }
            Expr::Call(node) if matches!(node.expr, Expr::Var(_)) => {
                let Expr::Var(name) = &node.expr else { return Err(wrong("only names can be called")) };
                let node = Call { expr: variable(name.id, name.span()), args: self.arguments(&node.args)? };
                Expr::Call(Spanned::new(node, span))
            }
            Expr::GetAttr(_) | Expr::GetItem(_) | Expr::Slice(_) | Expr::Call(_) => {
                let (negations, value) = self.postfix(expr)?;
                (0..negations).fold(value, |value, _| call("@neg", value, [], span))
            }
        })
    }

    /// A value with something behind it, and how often it is to be negated after all: minijinja reads `-a.b` as
    /// `(-a).b`.
    fn postfix(&self, expr: &Expr<'a>) -> Result<(usize, Expr<'a>)> {
        let span = expr.span();
        Ok(match expr {
            Expr::GetAttr(node) => {
                let (negations, of) = self.operand(&node.expr, span)?;
                (negations, call("@item", of, [constant(node.name, span)], span))
            }
            Expr::GetItem(node) => {
                let (negations, of) = self.operand(&node.expr, span)?;
                (negations, call("@item", of, [self.expr(&node.subscript_expr)?], span))
            }
            Expr::Slice(node) => {
                let (negations, of) = self.operand(&node.expr, span)?;
                let bound = |bound: &Option<Expr<'a>>| match bound {
                    Some(bound) => self.expr(bound),
                    None => Ok(constant((), span)),
                };
                let bounds = [bound(&node.start)?, bound(&node.stop)?, bound(&node.step)?];
                (negations, call("@slice", of, bounds, span))
            }
            Expr::Call(node) => match &node.expr {
                Expr::Var(_) => (0, self.expr(expr)?),
                Expr::GetAttr(callee) => {
                    let (negations, of) = self.operand(&callee.expr, callee.span())?;
                    (negations, self.named("@method", of, callee.name, &node.args, span)?)
                }
                Expr::UnaryOp(callee) if matches!(callee.op, UnaryOpKind::Neg) => {
                    let Expr::Var(name) = &callee.expr else {
                        return Err(wrong("only names and methods can be called"));
                    };
                    let called =
                        Call { expr: variable(name.id, name.span()), args: self.arguments(&node.args)? };
                    (1, Expr::Call(Spanned::new(called, span)))
                }
                _ => return Err(wrong("only names and methods can be called")),
            },
            other => (0, self.expr(other)?),
        })
    }

    fn operand(&self, expr: &Expr<'a>, outer: Span) -> Result<(usize, Expr<'a>)> {
        let mut inner = expr;
        let mut negations = 0;
        // In brackets, it begins behind what is around it.
        while let Expr::UnaryOp(node) = inner
            && matches!(node.op, UnaryOpKind::Neg)
            && (negations > 0 || node.span().start_offset == outer.start_offset)
        {
            negations += 1;
            inner = &node.expr;
        }
        let (more, value) = self.postfix(inner)?;
        Ok((negations + more, value))
    }

    fn binary(&self, node: &Spanned<ast::BinOp<'a>>) -> Result<Expr<'a>> {
        let span = node.span();
        let sign = match node.op {
            BinOpKind::ScAnd | BinOpKind::ScOr => {
                let left = self.expr(&node.left)?;
                // minijinja computes `'' and 1` beforehand, and not as Python does.
                let left = if left.as_const().is_some() { call("@same", left, [], span) } else { left };
                let node = ast::BinOp { op: node.op, left, right: self.expr(&node.right)? };
                return Ok(Expr::BinOp(Spanned::new(node, span)));
            }
            BinOpKind::Concat => {
                let mut parts = vec![self.expr(&node.right)?];
                let mut left = &node.left;
                while let Expr::BinOp(node) = left
                    && matches!(node.op, BinOpKind::Concat)
                {
                    parts.push(self.expr(&node.right)?);
                    left = &node.left;
                }
                parts.reverse();
                return Ok(call("@concat", self.expr(left)?, parts, span));
            }
            BinOpKind::Eq => "==",
            BinOpKind::Ne => "!=",
            BinOpKind::Lt => "<",
            BinOpKind::Lte => "<=",
            BinOpKind::Gt => ">",
            BinOpKind::Gte => ">=",
            BinOpKind::In => "in",
            BinOpKind::Add => "+",
            BinOpKind::Sub => "-",
            BinOpKind::Mul => "*",
            BinOpKind::Div => "/",
            BinOpKind::FloorDiv => "//",
            BinOpKind::Rem => "%",
            BinOpKind::Pow => "**",
        };
        let compares = matches!(sign, "==" | "!=" | "<" | "<=" | ">" | ">=" | "in");
        let name = if compares { "@compare" } else { "@arithmetic" };
        Ok(call(name, self.expr(&node.left)?, [constant(sign, span), self.expr(&node.right)?], span))
    }

    /// A call of `operation` on a value, the name of what is done, and arguments as written.
    fn named(
        &self,
        operation: &'static str,
        value: Expr<'a>,
        name: &'a str,
        given: &[CallArg<'a>],
        span: Span,
    ) -> Result<Expr<'a>> {
        let mut args = vec![CallArg::Pos(constant(name, span))];
        args.extend(self.arguments(given)?);
        Ok(Expr::Filter(Spanned::new(Filter { name: operation, expr: Some(value), args }, span)))
    }

    fn arguments(&self, given: &[CallArg<'a>]) -> Result<Vec<CallArg<'a>>> {
        let argument = |argument: &CallArg<'a>| match argument {
            CallArg::Pos(value) => Ok(CallArg::Pos(self.expr(value)?)),
            CallArg::Kwarg(name, value) => Ok(CallArg::Kwarg(name, self.expr(value)?)),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => Err(wrong("* in a call is not supported")),
        };
        given.iter().map(argument).collect()
    }
}

fn no_way_out(span: Span) -> Fault {
    let cause = "break and continue are supported in plain loops alone: not with an else, nor inside a block with \
                 names of its own";
    wrong(cause).at(span.start_line.into())
}

fn sign_of(comparison: CompareOpKind) -> &'static str {
    match comparison {
        CompareOpKind::Eq => "==",
        CompareOpKind::Ne => "!=",
        CompareOpKind::Lt => "<",
        CompareOpKind::Lte => "<=",
        CompareOpKind::Gt => ">",
        CompareOpKind::Gte => ">=",
        CompareOpKind::In => "in",
        CompareOpKind::NotIn => "not in",
    }
}

fn variable(id: &str, span: Span) -> Expr<'_> {
    Expr::Var(Spanned::new(Var { id }, span))
}

fn constant<'a>(value: impl Into<Value>, span: Span) -> Expr<'a> {
    Expr::Const(Spanned::new(Const { value: value.into() }, span))
}

fn list(items: Vec<Expr<'_>>, span: Span) -> Expr<'_> {
    Expr::List(Spanned::new(List { items }, span))
}

/// A call of a checked operation, which minijinja knows as a filter: no template can spell its name.
fn call<'a>(
    name: &'static str,
    value: Expr<'a>,
    rest: impl IntoIterator<Item = Expr<'a>>,
    span: Span,
) -> Expr<'a> {
    let args = rest.into_iter().map(CallArg::Pos).collect();
    Expr::Filter(Spanned::new(Filter { name, expr: Some(value), args }, span))
}

/// A statement that only pays.
fn pay<'a>(name: &'static str, span: Span) -> Stmt<'a> {
    let expr = call(name, constant((), span), [], span);
    Stmt::IfCond(Spanned::new(IfCond { expr, true_body: Vec::new(), false_body: Vec::new() }, span))
}

/// A block with names of its own. minijinja opens and closes it free of charge.
fn with<'a>(assignments: Vec<(Expr<'a>, Expr<'a>)>, body: Vec<Stmt<'a>>, span: Span) -> Stmt<'a> {
    let body = std::iter::once(pay("@with", span)).chain(body).collect();
    Stmt::WithBlock(Spanned::new(WithBlock { assignments, body }, span))
}
