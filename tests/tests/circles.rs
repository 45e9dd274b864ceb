//! No files of a crate import each other in a circle: each can be read knowing only those below it. How a file
//! imports another, and how far that can be followed, is said in `tests::circles`.

use std::path::{Path, PathBuf};

use tests::circles::{Circle, Sources, circles, of_tree};
use tests::workspace;

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let crates = of_tree(workspace());
    assert!(crates.len() > 8, "only {} crates found", crates.len());
    let found: Vec<_> = crates.iter().flat_map(|(_, circles)| circles).map(Circle::to_string).collect();
    assert!(found.is_empty(), "{} circles:\n{}", found.len(), found.join("\n"));
}

/// Files of the circles in a crate, whose files are given with their contents.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Sources = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).into())).collect();
    let names = |circle: &Circle| {
        let files: Vec<_> = circle.files.iter().map(|file| file.display().to_string()).collect();
        files.join(" ")
    };
    circles(&sources, Path::new("lib.rs")).iter().map(names).collect()
}

const NONE: &[&str] = &[];

#[test]
fn two_files_that_use_each_other_are_a_circle() {
    let lib = ("lib.rs", "mod a; mod b; mod c;");
    let b = ("b.rs", "use crate::a::A; pub struct B(A);");
    let c = ("c.rs", "use crate::b::B; fn f(_: B) {}");
    assert_eq!(found(&[lib, ("a.rs", "use super::b::B; pub struct A; fn f(_: B) {}"), b, c]), ["a.rs b.rs"]);
    assert_eq!(found(&[lib, ("a.rs", "pub struct A;"), b, c]), NONE);
}

#[test]
fn a_circle_is_found_over_several_files_and_told_with_its_imports() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B;\npub struct A;"),
        ("b.rs", "pub struct B;\n\nfn f() { crate::c::f(); }"),
        ("c.rs", "use crate::{a::{self, A as Renamed}, d::D};\npub fn f() {}"),
        ("d.rs", "pub struct D;"),
    ];
    let sources: Sources = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).into())).collect();
    let told: Vec<_> = circles(&sources, Path::new("lib.rs")).iter().map(Circle::to_string).collect();
    let want = "\
3 files: a.rs, b.rs, c.rs
    a.rs -> b.rs: crate::b::B (line 1)
    b.rs -> c.rs: crate::c::f (line 3)
    c.rs -> a.rs: crate::a::A (line 1)
";
    assert_eq!(told, [want]);
}

#[test]
fn two_circles_are_told_apart() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::a::A; use crate::c::C; pub struct B;"),
        ("c.rs", "use crate::d::D; pub struct C;"),
        ("d.rs", "use crate::c::C; pub struct D;"),
    ];
    assert_eq!(found(&files), ["a.rs b.rs", "c.rs d.rs"]);
}

#[test]
fn a_parent_that_uses_its_child_and_serves_it_is_a_circle() {
    let child = ("room/child.rs", "use super::Kind; pub fn f(_: Kind) {}");
    let uses = ("room/mod.rs", "mod child; pub enum Kind { A } fn g() { child::f(Kind::A) }");
    assert_eq!(found(&[("lib.rs", "mod room;"), uses, child]), ["room/child.rs room/mod.rs"]);
    let flat = ("room.rs", uses.1);
    assert_eq!(found(&[("lib.rs", "mod room;"), flat, child]), ["room/child.rs room.rs"]);
    let declares = ("room/mod.rs", "mod child; pub use child::f; pub enum Kind { A }");
    assert_eq!(found(&[("lib.rs", "mod room;"), declares, child]), NONE);
    let names = ("room/mod.rs", "mod child; pub use child::f; pub enum Kind { A } fn g() { f(Kind::A) }");
    assert_eq!(found(&[("lib.rs", "mod room;"), names, child]), ["room/child.rs room/mod.rs"]);
}

#[test]
fn a_re_export_leads_to_the_file_that_defines() {
    let a = ("room/a.rs", "use crate::B; pub struct A;");
    let b = ("room/b.rs", "use super::Told; pub struct B(Told);");
    let through = [
        ("lib.rs", "mod room; pub use room::*;"),
        ("room/mod.rs", "mod a; mod b; pub use a::A as Told; pub(crate) use self::b::B;"),
    ];
    assert_eq!(found(&[through[0], through[1], a, b]), ["room/a.rs room/b.rs"]);
    // Children that share what their parent only passes on use each other, not the parent.
    assert_eq!(found(&[through[0], through[1], ("room/a.rs", "pub struct A;"), b]), NONE);
}

#[test]
fn a_path_in_the_code_is_an_import() {
    let lib = ("lib.rs", "mod a; mod b;");
    let b = ("b.rs", "use crate::a::A; pub fn f() -> A { A }");
    for code in [
        "pub struct A; fn g() { crate::b::f(); }",
        "pub struct A; type Other = super::b::Made;",
        "pub struct A; impl A { fn g(x: &crate::b::Made) {} }",
        "pub struct A; fn g() { println!(\"{}\", crate::b::f()); }",
        "pub struct A; fn g() { other::macro_of_another![x, { super::b::f(y) }]; }",
        "pub struct A; fn g() { use crate::b; b::f(); }",
        "pub struct A; use crate::*; fn g() { b::f(); }",
        "pub struct A; mod inner { fn g() { super::super::b::f(); } }",
        "pub struct A; macro_rules! m { () => { $crate::b::f() } }",
    ] {
        assert_eq!(found(&[lib, ("a.rs", code), b]), ["a.rs b.rs"], "{code}");
    }
    for code in [
        "pub struct A; pub(in crate::b) fn g() {}",
        "pub struct A; fn g(x: A) { x.f.b.f(); }",
        "pub struct A; fn g() { println!(\"crate::b::f\", x.f()); }",
        "pub struct A; use crate::b; /* The module alone is none: its re-exports may be meant. */",
        "pub struct A; fn g() { ::b::f(); other::b::f(); }",
        "pub struct A; #[doc = \"crate::b::f\"] fn g() {}",
    ] {
        assert_eq!(found(&[lib, ("a.rs", code), b]), NONE, "{code}");
    }
}

#[test]
fn names_through_a_glob_count_where_they_are_used() {
    let files = |code| {
        let room = ("room/mod.rs", "mod a; mod b; pub use b::*; pub struct Parent;");
        [("lib.rs", "mod room;"), room, ("room/a.rs", code), ("room/b.rs", "use super::a::A; pub fn f() {}")]
    };
    assert_eq!(found(&files("use super::*; pub struct A; fn g() { f() }")), ["room/a.rs room/b.rs"]);
    assert_eq!(found(&files("use super::*; pub struct A; fn f() {} fn g() { f() }")), NONE);
    assert_eq!(found(&files("use super::*; pub struct A; fn g(_: Parent) {}")), NONE);
}

#[test]
fn macros_are_imports() {
    let lib = ("lib.rs", "#[macro_use] mod a; mod b;");
    let defined = "macro_rules! m { () => {} }";
    let shared = format!("{defined} pub(crate) use m; use crate::b::B;");
    assert_eq!(found(&[lib, ("a.rs", &shared), ("b.rs", "use crate::a::m; pub struct B;")]), ["a.rs b.rs"]);
    let exported = format!("use crate::b::B; #[macro_export] {defined}");
    assert_eq!(found(&[lib, ("a.rs", &exported), ("b.rs", "pub struct B; crate::m!();")]), ["a.rs b.rs"]);
    let apart = format!("{defined} pub(crate) use m;");
    assert_eq!(found(&[lib, ("a.rs", &apart), ("b.rs", "use crate::a::m; pub struct B; m!();")]), NONE);
    let parent = ("room/mod.rs", "macro_rules! m { () => {} } mod c; fn f() { c::C; }");
    let child = ("room/c.rs", "m!(); pub struct C;");
    assert_eq!(found(&[("lib.rs", "mod room;"), parent, child]), ["room/c.rs room/mod.rs"]);
    // What a macro made is sought in the module where it stands.
    let made = ("a.rs", "use crate::b::B; unit!(Usd);");
    assert_eq!(found(&[lib, made, ("b.rs", "use crate::a::Usd; pub struct B;")]), ["a.rs b.rs"]);
    // A function is no macro, whatever its name.
    let parent = ("room/mod.rs", "pub fn format() {} mod c; fn f() { c::C; }");
    assert_eq!(found(&[("lib.rs", "mod room;"), parent, ("room/c.rs", "pub struct C; format!();")]), NONE);
}

#[test]
fn code_under_cfg_test_is_left_out() {
    let lib = ("lib.rs", "mod a; mod b;");
    let b = ("b.rs", "use crate::a::A; pub struct B;");
    for code in [
        "pub struct A; #[cfg(test)] use crate::b::B;",
        "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }",
        "pub struct A; #[cfg(all(test, unix))] impl A { fn f(_: crate::b::B) {} }",
        "pub struct A; impl A { #[cfg(test)] fn f(_: crate::b::B) {} }",
        "pub struct A; #[cfg(test)] mod not_there;",
    ] {
        assert_eq!(found(&[lib, ("a.rs", code), b]), NONE, "{code}");
    }
    for code in
        ["pub struct A; #[cfg(not(test))] use crate::b::B;", "pub struct A; #[cfg(unix)] use crate::b::B;"]
    {
        assert_eq!(found(&[lib, ("a.rs", code), b]), ["a.rs b.rs"], "{code}");
    }
}

#[test]
fn modules_are_found_where_rustc_finds_them() {
    let a = ("room/a.rs", "use crate::room::inner::deep::D; pub struct A;");
    let deep = ("room/inner/deep.rs", "use crate::room::named::A; pub struct D;");
    let room = ("room.rs", "#[path = \"room/a.rs\"] pub mod named; pub mod inner { pub mod deep; }");
    assert_eq!(found(&[("lib.rs", "mod room;"), room, a, deep]), ["room/a.rs room/inner/deep.rs"]);
}

#[test]
fn names_that_lead_back_to_themselves_end() {
    let files = [
        ("lib.rs", "mod race; mod b; pub use race::race; pub use b::*; use crate::lost as lost;"),
        ("race.rs", "pub use super::*; pub fn race() { crate::nowhere(); b::f() }"),
        ("b.rs", "pub use crate::race::*; pub fn f() { crate::race(); }"),
    ];
    assert_eq!(found(&files), ["b.rs race.rs"]);
}
