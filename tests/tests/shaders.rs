//! Every WGSL module as wgpu gets it, through naga: valid, without 16-bit floats, within the limits that every
//! WebGPU adapter has; sharing sizes and layouts with Rust; and no file that belongs to none.

use std::fs;
use std::path::{Path, PathBuf};

use engine::gpu::{CONSTANTS, LAYOUTS, Shader, shaders};
use naga::valid::{Capabilities, GlobalUse, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Expression, Literal, Module, ResourceBinding, TypeInner};
use tests::workspace;

/// WebGPU's default `maxStorageBuffersPerShaderStage`.
const STORAGE_BUFFERS: usize = 8;

/// WebGPU's default `maxBindGroups`.
const BIND_GROUPS: u32 = 4;

/// A directive that browsers want and naga does not know; modules get it in a browser only.
const BROWSER_ONLY: &str = "shared/enable_subgroups.wgsl";

/// What WGSL has everywhere, though naga asks for it: halves packed in words.
const CORE: Capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;

/// What a module may use: subgroups where its name says so, and nothing else beyond core WGSL.
fn allowed(name: &str) -> Capabilities {
    if name.contains("Subgroup") { CORE | Capabilities::SUBGROUP } else { CORE }
}

/// Parses and validates.
fn check(source: &str, allowed: Capabilities) -> Result<(Module, ModuleInfo), String> {
    let module = naga::front::wgsl::parse_str(source).map_err(|error| error.emit_to_string(source))?;
    let info = Validator::new(ValidationFlags::all(), allowed)
        .validate(&module)
        .map_err(|error| error.emit_to_string(source))?;
    Ok((module, info))
}

fn checked() -> impl Iterator<Item = (Shader, Module, ModuleInfo)> {
    shaders().into_iter().map(|shader| {
        let (module, info) = check(&shader.source, allowed(&shader.name))
            .unwrap_or_else(|error| panic!("module {}: {error}", shader.name));
        (shader, module, info)
    })
}

/// Files below `crate/engine/shaders`, as paths from there.
fn files() -> Vec<(PathBuf, String)> {
    let root = workspace().join("crate/engine/shaders");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((
                    path.strip_prefix(&root).unwrap().to_path_buf(),
                    fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    assert!(!files.is_empty(), "no file in {}", root.display());
    files
}

/// Lines without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default().trim())
}

#[test]
fn every_entry_point_and_override_of_a_module_is_known_to_the_engine_and_no_other() {
    let mut count = 0;
    for (shader, module, _) in checked() {
        let mut entry_points: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        let mut overrides: Vec<_> = module.overrides.iter().filter_map(|(_, o)| o.name.as_deref()).collect();
        let Shader { name, entry_points: mut known, overrides: mut set, .. } = shader;
        [&mut entry_points, &mut overrides, &mut known, &mut set].into_iter().for_each(|names| names.sort());
        assert_eq!(entry_points, known, "entry points of {name}");
        assert_eq!(overrides, set, "overrides of {name}");
        count += 1;
    }
    assert!(count > 0, "the engine names no module");
}

#[test]
fn constants_are_those_of_rust() {
    for (shader, module, _) in checked() {
        for (name, value) in CONSTANTS {
            let (_, constant) = module
                .constants
                .iter()
                .find(|(_, constant)| constant.name.as_deref() == Some(*name))
                .unwrap_or_else(|| panic!("{} does not know {name}", shader.name));
            let init = &module.global_expressions[constant.init];
            let same = matches!(init, Expression::Literal(Literal::U32(got)) if got == value);
            assert!(same, "{}: {name} is {init:?}, in Rust {value}", shader.name);
        }
    }
}

#[test]
fn parameters_lie_where_rust_writes_them() {
    let mut found: Vec<&str> = Vec::new();
    for (shader, module, _) in checked() {
        for (_, kind) in module.types.iter() {
            let TypeInner::Struct { members, span } = &kind.inner else { continue };
            let layout = LAYOUTS.iter().find(|(name, ..)| kind.name.as_deref() == Some(*name));
            let Some((name, size, fields)) = layout else { continue };
            let members: Vec<_> =
                members.iter().map(|m| (m.name.as_deref().unwrap_or_default(), m.offset as usize)).collect();
            assert_eq!(members, *fields, "{name} of {}", shader.name);
            assert_eq!(*span as usize, *size, "size of {name} of {}", shader.name);
            found.push(name);
        }
    }
    assert!(LAYOUTS.iter().all(|(name, ..)| found.contains(name)), "of all structs only {found:?} are read");
}

/// Sizes and codes that Rust may need stand in `gpu/geometry.rs` alone.
#[test]
fn no_file_has_a_size_of_its_own() {
    for (path, text) in files() {
        for line in code(&text) {
            let file = path.display();
            if let Some(rest) = line.strip_prefix("const ").or_else(|| line.strip_prefix("override ")) {
                let name = rest.split([' ', ':']).next().unwrap_or_default();
                assert!(CONSTANTS.iter().all(|(known, _)| *known != name), "{file}: {line}");
                let value = rest.split('=').nth(1).unwrap_or_default().trim().trim_end_matches(';');
                let literal = value.trim_end_matches(['u', 'i']).parse::<i64>().is_ok();
                assert!(!literal, "{file}: {line}: a number without a name that Rust knows");
            }
            for opening in ["@workgroup_size(", "var<workgroup>"] {
                let Some((_, rest)) = line.split_once(opening) else { continue };
                let size =
                    rest.trim_end_matches([';', ')', '>']).rsplit([',', '(']).next().unwrap_or_default();
                let named = size.contains(|c: char| c.is_ascii_uppercase());
                assert!(named, "{file}: {line}: a size without a name");
            }
        }
    }
}

#[test]
fn every_module_runs_within_the_limits_that_every_adapter_has() {
    for (Shader { name, .. }, module, info) in checked() {
        for (index, entry) in module.entry_points.iter().enumerate() {
            let used = info.get_entry_point(index);
            let bound: Vec<(&AddressSpace, &ResourceBinding)> = module
                .global_variables
                .iter()
                .filter(|(handle, _)| used[*handle] != GlobalUse::empty())
                .filter_map(|(_, variable)| Some((&variable.space, variable.binding.as_ref()?)))
                .collect();
            let storage = bound.iter().filter(|(space, _)| matches!(space, AddressSpace::Storage { .. }));
            let storage = storage.count();
            let entry = &entry.name;
            assert!(storage <= STORAGE_BUFFERS, "{name}, {entry}: {storage} storage buffers");
            let groups = bound.iter().map(|(_, binding)| binding.group + 1).max().unwrap_or(0);
            assert!(groups <= BIND_GROUPS, "{name}, {entry}: {groups} bind groups");
        }
    }
}

#[test]
fn every_file_belongs_to_a_module() {
    let files = files();
    assert!(files.iter().all(|(path, _)| path.extension().is_some_and(|e| e == "wgsl")), "{files:?}");
    for (path, text) in &files {
        if path == Path::new(BROWSER_ONLY) {
            assert_eq!(text.trim(), "enable subgroups;");
        } else {
            let used = shaders().iter().any(|shader| shader.source.contains(text.as_str()));
            assert!(used, "{} is in no module of engine::gpu::shaders()", path.display());
        }
    }
}

#[test]
fn no_kernel_needs_16_bit_floats() {
    for (path, text) in files() {
        for line in code(&text) {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            assert!(!words.contains(&"f16"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn what_is_not_core_wgsl_is_refused_here() {
    let half = "enable f16; @compute @workgroup_size(1) fn main() { var x = 1.0h; x += x; }";
    assert!(check(half, CORE).is_err());
    let subgroup = "@compute @workgroup_size(64) fn main() { let sum = subgroupAdd(1.0); }";
    assert!(check(subgroup, CORE).is_err());
    let (module, _) = check(subgroup, Capabilities::SUBGROUP).unwrap();
    assert_eq!(module.entry_points[0].name, "main");
    let wrong = check("@compute @workgroup_size(1) fn main() { let x: u32 = 1.0; }", CORE);
    assert!(wrong.unwrap_err().contains("u32"), "the error names what is wrong");
}
