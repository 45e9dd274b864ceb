//! Every WGSL module as wgpu gets it, through naga: valid, without 16-bit floats, within the limits that every
//! WebGPU adapter has; and no file that belongs to none.

use std::fs;
use std::path::{Path, PathBuf};

use engine::gpu::shaders;
use naga::valid::{Capabilities, GlobalUse, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ResourceBinding};
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

fn checked() -> impl Iterator<Item = (String, Module, ModuleInfo)> {
    shaders().into_iter().map(|(name, source)| {
        let (module, info) =
            check(source, allowed(&name)).unwrap_or_else(|error| panic!("module {name}: {error}"));
        (name, module, info)
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

#[test]
fn every_module_is_valid_and_has_an_entry_point() {
    let mut count = 0;
    for (name, module, _) in checked() {
        assert!(!module.entry_points.is_empty(), "module {name} has nothing that could be dispatched");
        count += 1;
    }
    assert!(count > 0, "the engine names no module");
}

#[test]
fn every_module_runs_within_the_limits_that_every_adapter_has() {
    for (name, module, info) in checked() {
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
            let used = shaders().iter().any(|(_, source)| source.contains(text.as_str()));
            assert!(used, "{} is in no module of engine::gpu::shaders()", path.display());
        }
    }
}

#[test]
fn no_kernel_needs_16_bit_floats() {
    for (path, text) in files() {
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        for line in code {
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
