//! Lists the circles between files of each crate, without compiling any of them:
//! `cargo run -p tests --bin circles`, for another checkout with its path behind `--`.

use std::path::PathBuf;

use tests::circles::of_tree;

fn main() {
    let tree = std::env::args().nth(1).map_or_else(|| tests::workspace().to_path_buf(), PathBuf::from);
    for (root, circles) in of_tree(&tree) {
        println!("{}: {} circles", root.display(), circles.len());
        circles.iter().for_each(|circle| println!("  {circle}"));
    }
}
