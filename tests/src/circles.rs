//! Which file of a crate imports which other, and the circles among them.
//!
//! File A imports file B when code of A names something that B defines: through a private `use`, or a path that
//! stands in the code, or in a macro's tokens. A name is followed through re-exports and globs to the file that
//! defines it. A re-export is an import only where its own file uses the name, `mod x;` is none, and code under
//! `#[cfg(test)]` is left out.
//!
//! Names alone are followed, not types: a call of a method whose `impl` block lies in another file than its type
//! is no import of that file, nor is a trait's method reached through a glob or a re-export.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, Token, UseTree};

/// Rust files by their paths.
pub type Sources = BTreeMap<PathBuf, String>;

/// Files that import each other, and the imports among them.
#[derive(Debug)]
pub struct Circle {
    /// In the order of their paths, at least two.
    pub files: Vec<PathBuf>,
    /// Every import from one of the files to another.
    pub imports: Vec<Import>,
}

/// One file's reason to import another.
#[derive(Debug)]
pub struct Import {
    /// The file that names something.
    pub from: PathBuf,
    /// The file that defines it.
    pub to: PathBuf,
    /// The names as `from` writes them, each with its first line.
    pub names: BTreeMap<String, usize>,
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        writeln!(f, "{} files: {}", files.len(), files.join(", "))?;
        for Import { from, to, names } in &self.imports {
            let names: Vec<_> = names.iter().map(|(name, line)| format!("{name} (line {line})")).collect();
            writeln!(f, "    {} -> {}: {}", from.display(), to.display(), names.join(", "))?;
        }
        Ok(())
    }
}

/// Circles among the files of the crate whose root is `root`, a `lib.rs` or `main.rs`.
///
/// # Panics
/// When a file does not parse, or a module has no file.
#[must_use]
pub fn circles(sources: &Sources, root: &Path) -> Vec<Circle> {
    let mut modules = Modules { sources, files: Vec::new(), all: Vec::new(), pending: Vec::new(), uses: 0 };
    let directory = root.parent().unwrap_or(Path::new(""));
    modules.file(root, directory, None);
    strongly_connected(&modules.files, &modules.imports())
}

/// Circles of every crate of a checkout, by the path of the crate's root, relative to `tree`.
///
/// # Panics
/// When a file cannot be read or does not parse.
#[must_use]
pub fn of_tree(tree: &Path) -> Vec<(PathBuf, Vec<Circle>)> {
    let ours = crate::committed(tree).into_iter().filter(|path| {
        let source = path.components().any(|part| part.as_os_str() == "src");
        source && path.extension().is_some_and(|extension| extension == "rs")
    });
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(tree.join(&path));
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, text)
    };
    let sources: Sources = ours.map(read).collect();
    let is_root = |path: &&PathBuf| {
        let below = |folder: &str| path.parent().is_some_and(|parent| parent.ends_with(folder));
        let named = path.ends_with("lib.rs") || path.ends_with("main.rs");
        named && below("src") || below("src/bin")
    };
    sources.keys().filter(is_root).map(|root| (root.clone(), circles(&sources, root))).collect()
}

/// Something that a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// An item, by the file that defines it.
    Item(usize),
    /// A module.
    Module(usize),
}

/// A name's meaning in one module; several where `cfg` chooses, or where a module and a function share a name.
enum Binding {
    Target(Target),
    Use(Use),
}

struct Use {
    /// A number of its own, so that following imports in a ring ends.
    id: usize,
    path: Vec<String>,
    exported: bool,
}

struct Module {
    file: usize,
    parent: Option<usize>,
    names: HashMap<String, Vec<Binding>>,
    globs: Vec<(usize, Vec<String>)>,
}

/// A path in the code of a module, to be resolved once all modules are known.
struct Mention {
    module: usize,
    path: Vec<String>,
    line: usize,
}

struct Modules<'a> {
    sources: &'a Sources,
    files: Vec<PathBuf>,
    all: Vec<Module>,
    pending: Vec<Mention>,
    uses: usize,
}

type Imports = BTreeMap<(usize, usize), BTreeMap<String, usize>>;

impl Modules<'_> {
    /// Reads a file as a module. `directory` is where its child modules lie.
    fn file(&mut self, path: &Path, directory: &Path, parent: Option<usize>) -> usize {
        let source = self.sources.get(path).unwrap_or_else(|| panic!("{} is not there", path.display()));
        let parsed = syn::parse_file(source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.files.push(path.to_path_buf());
        self.module(self.files.len() - 1, &parsed.items, directory, parent)
    }

    fn module(&mut self, file: usize, items: &[Item], directory: &Path, parent: Option<usize>) -> usize {
        let id = self.all.len();
        self.all.push(Module { file, parent, names: HashMap::new(), globs: Vec::new() });
        for item in items {
            Code { modules: self, module: id, directory }.visit_item(item);
        }
        id
    }

    fn bind(&mut self, module: usize, name: String, binding: Binding) {
        self.all[module].names.entry(name).or_default().push(binding);
    }

    fn child(&mut self, parent: usize, item: &syn::ItemMod, directory: &Path) {
        let name = plain(&item.ident);
        let own = directory.join(&name);
        let file = self.all[parent].file;
        let child = match (&item.content, path_attribute(&item.attrs)) {
            (Some((_, items)), _) => self.module(file, items, &own, Some(parent)),
            (None, Some(path)) => {
                let folder = self.files[file].parent().unwrap_or(Path::new("")).to_path_buf();
                self.file(&folder.join(path), &folder, Some(parent))
            }
            (None, None) => {
                let flat = directory.join(format!("{name}.rs"));
                let path = if self.sources.contains_key(&flat) { flat } else { own.join("mod.rs") };
                self.file(&path, &own, Some(parent))
            }
        };
        self.bind(parent, name, Binding::Target(Target::Module(child)));
    }

    fn imported(&mut self, module: usize, tree: &UseTree, before: &[String], exported: bool) {
        let mut path = before.to_vec();
        let (last, name) = match tree {
            UseTree::Path(tree) => {
                path.push(plain(&tree.ident));
                return self.imported(module, &tree.tree, &path, exported);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.imported(module, tree, before, exported));
            }
            UseTree::Glob(_) => {
                self.uses += 1;
                return self.all[module].globs.push((self.uses, path));
            }
            UseTree::Name(tree) => (&tree.ident, &tree.ident),
            UseTree::Rename(tree) => (&tree.ident, &tree.rename),
        };
        if last != "self" {
            path.push(plain(last));
        }
        if !exported {
            self.pending.push(Mention { module, path: path.clone(), line: last.span().start().line });
        }
        let name = if name == "self" { path.last().cloned().unwrap_or_default() } else { plain(name) };
        self.uses += 1;
        self.bind(module, name, Binding::Use(Use { id: self.uses, path, exported }));
    }

    /// Meaning of `name` in a module; `None` if nothing there has it, empty if it comes from another crate.
    fn name(&self, module: usize, name: &str, on_way: &mut HashSet<usize>) -> Option<BTreeSet<Target>> {
        let here = &self.all[module];
        let mut found = BTreeSet::new();
        for binding in here.names.get(name).into_iter().flatten() {
            match binding {
                Binding::Target(target) => drop(found.insert(*target)),
                Binding::Use(Use { id, path, .. }) if on_way.insert(*id) => {
                    found.extend(self.path(module, path, on_way).into_iter().flatten());
                    on_way.remove(id);
                }
                Binding::Use(..) => {}
            }
        }
        if here.names.contains_key(name) {
            return Some(found);
        }
        for (id, path) in here.globs.iter().filter(|(id, _)| !on_way.contains(id)).collect::<Vec<_>>() {
            on_way.insert(*id);
            for target in self.path(module, path, on_way).into_iter().flatten() {
                if let Target::Module(from) = target {
                    found.extend(self.name(from, name, on_way).into_iter().flatten());
                }
            }
            on_way.remove(id);
        }
        (!found.is_empty()).then_some(found)
    }

    /// Meaning of a path in a module; `None` if its first name is nothing of this crate.
    fn path(&self, module: usize, path: &[String], on_way: &mut HashSet<usize>) -> Option<BTreeSet<Target>> {
        let mut rest = path;
        let mut start = module;
        let mut targets = BTreeSet::new();
        while let Some(first) = rest.first() {
            match first.as_str() {
                "crate" => start = 0,
                "self" => {}
                "super" => start = self.all[start].parent?,
                _ => break,
            }
            targets = BTreeSet::from([Target::Module(start)]);
            rest = &rest[1..];
        }
        if targets.is_empty() {
            targets = self.name(module, rest.first()?, on_way)?;
            rest = &rest[1..];
        }
        for name in rest {
            let modules: Vec<_> =
                targets.iter().filter(|target| matches!(target, Target::Module(_))).collect();
            if modules.is_empty() {
                break; // A variant or an associated item: it lies with its type.
            }
            let mut next = BTreeSet::new();
            for target in modules {
                let Target::Module(id) = *target else { continue };
                // A name that is not there was made by a macro.
                let made = || BTreeSet::from([Target::Item(self.all[id].file)]);
                next.extend(self.name(id, name, on_way).unwrap_or_else(made));
            }
            targets = next;
        }
        Some(targets)
    }

    /// Whether a path begins with an item that a private `use` has imported already.
    fn counted(&self, Mention { module, path, .. }: &Mention) -> bool {
        let bindings = path.first().and_then(|first| self.all[*module].names.get(first));
        bindings.into_iter().flatten().any(|binding| match binding {
            Binding::Use(Use { path, exported: false, .. }) => {
                let targets = self.path(*module, path, &mut HashSet::new()).unwrap_or_default();
                targets.iter().all(|target| matches!(target, Target::Item(_)))
            }
            _ => false,
        })
    }

    /// A macro is also known to the modules below the one that defines it. `name` ends in `!`.
    fn macro_above(&self, module: usize, name: &str) -> Option<BTreeSet<Target>> {
        let here = self.name(module, name, &mut HashSet::new());
        here.or_else(|| self.macro_above(self.all[module].parent?, name))
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for mention @ Mention { module, path, line } in &self.pending {
            if self.counted(mention) {
                continue;
            }
            let from = self.all[*module].file;
            let found = match path.as_slice() {
                [name] if name.ends_with('!') => {
                    let imported = self.name(*module, name.trim_end_matches('!'), &mut HashSet::new());
                    imported.or_else(|| self.macro_above(*module, name))
                }
                path => self.path(*module, path, &mut HashSet::new()),
            };
            for target in found.into_iter().flatten() {
                if let Target::Item(to) = target
                    && to != from
                {
                    imports.entry((from, to)).or_default().entry(path.join("::")).or_insert(*line);
                }
            }
        }
        imports
    }
}

/// Gathers what the code of one module defines and names.
struct Code<'m, 'a, 'd> {
    modules: &'m mut Modules<'a>,
    module: usize,
    directory: &'d Path,
}

impl Code<'_, '_, '_> {
    fn define(&mut self, name: &syn::Ident) {
        let file = self.modules.all[self.module].file;
        self.modules.bind(self.module, plain(name), Binding::Target(Target::Item(file)));
    }

    fn mention(&mut self, path: Vec<String>, line: usize) {
        self.modules.pending.push(Mention { module: self.module, path, line });
    }

    /// Paths in a macro's tokens: names joined by `::`, but no fields, methods or lifetimes.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut before = String::new();
        for token in tokens {
            let joins = before.ends_with("::") && !path.is_empty();
            match &token {
                TokenTree::Ident(name) => {
                    if !joins {
                        self.mention(std::mem::take(&mut path), line);
                        line = name.span().start().line;
                    }
                    if joins || !matches!(before.as_str(), "." | "'" | "::") {
                        path.push(plain(name));
                    }
                    before.clear();
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' && before == ":" => before = "::".into(),
                TokenTree::Punct(mark) => {
                    if mark.as_char() != ':' {
                        self.mention(std::mem::take(&mut path), line);
                    }
                    before = mark.as_char().to_string();
                }
                TokenTree::Group(group) => {
                    if joins && group.delimiter() == Delimiter::Brace {
                        path.clear(); // A `use` of several names inside a macro is beyond this reading.
                    }
                    self.mention(std::mem::take(&mut path), line);
                    self.tokens(group.stream());
                    before.clear();
                }
                TokenTree::Literal(_) => before.clear(),
            }
        }
        self.mention(path, line);
    }
}

impl<'ast> Visit<'ast> for Code<'_, '_, '_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if test_only(attributes(item)) {
            return;
        }
        match item {
            Item::Mod(module) => return self.modules.child(self.module, module, self.directory),
            Item::Use(item) => {
                if item.leading_colon.is_none() {
                    let exported = !matches!(item.vis, syn::Visibility::Inherited);
                    self.modules.imported(self.module, &item.tree, &[], exported);
                }
                return;
            }
            Item::Const(item) => self.define(&item.ident),
            Item::Enum(item) => self.define(&item.ident),
            Item::Fn(item) => self.define(&item.sig.ident),
            Item::Static(item) => self.define(&item.ident),
            Item::Struct(item) => self.define(&item.ident),
            Item::Trait(item) => self.define(&item.ident),
            Item::Type(item) => self.define(&item.ident),
            Item::Union(item) => self.define(&item.ident),
            Item::Macro(item) => {
                if let Some(name) = &item.ident {
                    self.define(name);
                    let target = Target::Item(self.modules.all[self.module].file);
                    self.modules.bind(self.module, format!("{}!", plain(name)), Binding::Target(target));
                    if item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) {
                        self.modules.bind(0, plain(name), Binding::Target(target));
                    }
                }
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !test_only(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !test_only(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !test_only(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
            let line = path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
            self.mention(names, line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        match call.path.get_ident() {
            Some(name) => self.mention(vec![format!("{}!", plain(name))], name.span().start().line),
            None => self.visit_path(&call.path),
        }
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    // `pub(in crate::a)` names a module without importing anything.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// `r#match` as `match`.
fn plain(name: &proc_macro2::Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_string()
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether the attributes leave an item out of every build but the tests'.
fn test_only(attributes: &[Attribute]) -> bool {
    fn asks_for_test(condition: &Meta) -> bool {
        match condition {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") || list.path.is_ident("cfg") => list
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .is_ok_and(|parts| parts.iter().any(asks_for_test)),
            _ => false,
        }
    }
    // `#[cfg(test)]`, and `#[test]` itself.
    attributes.iter().any(|attribute| asks_for_test(&attribute.meta))
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let named = attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => Some(&pair.value),
        _ => None,
    });
    match named? {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) => Some(path.value()),
        _ => None,
    }
}

/// Every set of more than one file in which each reaches each other.
fn strongly_connected(files: &[PathBuf], imports: &Imports) -> Vec<Circle> {
    let reached: Vec<BTreeSet<usize>> = (0..files.len())
        .map(|start| {
            let mut reached = BTreeSet::new();
            let mut next = vec![start];
            while let Some(file) = next.pop() {
                let onward = imports.keys().filter(|(from, _)| *from == file).map(|(_, to)| *to);
                next.extend(onward.filter(|to| reached.insert(*to)));
            }
            reached
        })
        .collect();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for file in 0..files.len() {
        let circle: BTreeSet<usize> =
            reached[file].iter().copied().filter(|other| reached[*other].contains(&file)).collect();
        if circle.len() < 2 || !seen.insert(circle.clone()) {
            continue;
        }
        let inside = imports.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
        let imports = inside.map(|((from, to), names)| Import {
            from: files[*from].clone(),
            to: files[*to].clone(),
            names: names.clone(),
        });
        let mut files: Vec<_> = circle.iter().map(|file| files[*file].clone()).collect();
        files.sort();
        found.push(Circle { files, imports: imports.collect() });
    }
    found
}
