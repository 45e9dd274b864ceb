//! From a crate to the wasm and JavaScript in dist/: cargo, wasm-bindgen, wasm-opt.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasmparser::{Validator, WasmFeatures};

use crate::paths::Paths;
use crate::step::{note, step};
use crate::variant::{Proof, Variant};
use crate::{command, digest, setup, stamp};

/// Features of WebAssembly that a build may use, as wasm-opt must be told.
const BASELINE: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-relaxed-simd",
    "--enable-sign-ext",
    "--enable-simd",
    "--enable-threads",
];

/// What the linker must be told for a memory that threads share: it comes from outside, may grow to all that 32 bits
/// address, and each thread sets up its own part of it.
const SHARED_MEMORY: &[&str] = &[
    "-Clink-arg=--shared-memory",
    "-Clink-arg=--import-memory",
    "-Clink-arg=--max-memory=4294967296",
    "-Clink-arg=--export=__wasm_init_tls",
    "-Clink-arg=--export=__tls_size",
    "-Clink-arg=--export=__tls_align",
    "-Clink-arg=--export=__tls_base",
];

/// Builds one variant; gives the folder with `<out>.js` and `<out>_bg.wasm`.
pub(crate) fn build(paths: &Paths, variant: &Variant) -> Result<PathBuf> {
    let compiled = step(&format!("compile {} ({})", variant.out, variant.features.join(" ")), || {
        let compiled = compile(paths, variant)?;
        prove(variant, &std::fs::read(&compiled)?)?;
        Ok(compiled)
    })?;
    let version = setup::wasm_bindgen_version(&paths.root)?;
    let lock = std::fs::read_to_string(paths.root.join("package-lock.json")).context("package-lock.json")?;
    let made_from = digest::file(&compiled)?;
    let flags = variant.optimise.join(" ") + &BASELINE.join(" ");
    let key = digest::texts([made_from.as_str(), &version, &lock, &flags]);
    let folder = paths.target.join("site").join(variant.out);
    step(&format!("bind and optimise {}", variant.out), || {
        let made =
            stamp::unless_made(&folder, &key, || finish(paths, variant, &version, &compiled, &folder))?;
        if !made {
            note("unchanged");
        }
        Ok(())
    })?;
    Ok(folder)
}

/// Cargo with exactly this variant's flags, whatever the environment and configuration files say.
fn compile(paths: &Paths, variant: &Variant) -> Result<PathBuf> {
    let folder =
        paths.target.join("wasm").join(variant.features.join("").replace('+', "-").trim_start_matches('-'));
    let features = format!("-Ctarget-feature={}", variant.features.join(","));
    let mut flags = vec![features.as_str(), "--cfg=getrandom_backend=\"wasm_js\""];
    let mut cargo = command::cargo(&paths.root);
    cargo.args(["build", "--locked", "--lib", "--target", "wasm32-unknown-unknown"]);
    cargo.args(["--package", variant.package, "--profile", variant.profile]);
    cargo.args(variant.options.iter().flat_map(|option| ["--features", option]));
    if variant.shared {
        flags.extend(SHARED_MEMORY);
        // The standard library that comes with the compiler was built for one thread. Building another is not yet
        // stable; the pinned compiler is known to do it.
        cargo.args(["-Zbuild-std=panic_abort,std"]).env("RUSTC_BOOTSTRAP", "1");
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")).env("CARGO_TARGET_DIR", &folder);
    command::run(&mut cargo)?;
    Ok(folder.join("wasm32-unknown-unknown").join(variant.profile).join(format!("{}.wasm", variant.package)))
}

/// Refuses a build that would run, but slowly: its instructions must need the features it is named after.
fn prove(variant: &Variant, wasm: &[u8]) -> Result<()> {
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(wasm)
        .with_context(|| format!("{} is no valid WebAssembly", variant.out))?;
    for Proof { name, feature } in variant.proof {
        let without = WasmFeatures::all().difference(*feature);
        if Validator::new_with_features(without).validate_all(wasm).is_ok() {
            bail!(
                "{} holds no {name} instruction: the kernels were compiled without it. Check the features of this \
                 variant in crate/xtask/src/variant.rs and the cfg of crate/engine/src/cpu/arch",
                variant.out
            );
        }
    }
    Ok(())
}

fn finish(paths: &Paths, variant: &Variant, version: &str, compiled: &Path, folder: &Path) -> Result<()> {
    let bindgen = paths.wasm_bindgen(version, "wasm-bindgen");
    let mut bind = command::program(bindgen, &paths.root);
    bind.args(["--target", "web", "--no-typescript", "--out-name", variant.out, "--out-dir"]).arg(folder);
    command::run(bind.arg(compiled))?;
    let wasm = folder.join(format!("{}_bg.wasm", variant.out));
    let mut optimise = command::program("node", &paths.root);
    optimise.arg(paths.npm("binaryen/bin/wasm-opt")).args(variant.optimise).args(BASELINE);
    command::run(optimise.args(["--strip-debug", "--strip-producers"]).arg(&wasm).arg("-o").arg(&wasm))?;
    prove(variant, &std::fs::read(&wasm)?)
}

#[cfg(test)]
mod tests {
    use super::prove;
    use crate::variant::{ENGINES, PAGE};

    /// (module (func (drop (i32x4.splat (i32.const 0))))), then the same without the splat.
    const SIMD: &[u8] =
        b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x09\x01\x07\0\x41\0\xfd\x11\x1a\x0b";
    const SCALAR: &[u8] =
        b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x07\x01\x05\0\x41\0\x1a\x0b";

    #[test]
    fn an_engine_without_simd_is_refused_by_name() {
        let refusal = prove(&ENGINES[0], SCALAR).unwrap_err().to_string();
        assert!(refusal.contains("engine-simd128") && refusal.contains("simd128 instruction"), "{refusal}");
        prove(&ENGINES[0], SIMD).unwrap();
    }

    /// (module (func (drop (i8x16.relaxed_swizzle (i8x16.splat (i32.const 0)) (i8x16.splat (i32.const 0))))))
    const RELAXED_SIMD: &[u8] =
        b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x10\x01\x0e\0\x41\0\xfd\x0f\x41\0\xfd\x0f\xfd\x80\x02\x1a\x0b";

    #[test]
    fn relaxed_simd_is_told_apart_from_plain_simd_and_threads_are_looked_for() {
        let relaxed = &ENGINES[1];
        let refusal = prove(relaxed, SIMD).unwrap_err().to_string();
        assert!(refusal.contains("engine-relaxed") && refusal.contains("relaxed SIMD"), "{refusal}");
        prove(relaxed, RELAXED_SIMD).unwrap();
        let refusal = prove(&ENGINES[2], SIMD).unwrap_err().to_string();
        assert!(refusal.contains("engine-simd128-threads") && refusal.contains("no threads"), "{refusal}");
    }

    #[test]
    fn the_page_needs_no_simd() {
        prove(&PAGE, SCALAR).unwrap();
    }
}
