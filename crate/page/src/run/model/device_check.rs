//! The device check as the page tells it: one line a finding, and what will run if a model is loaded.

use protocol::{Preference, Report};

use crate::engine_link::builds::ActiveBuild;
use crate::engine_link::device::{Device, Gpu, Relaxed};
use crate::engine_link::names;
use crate::shared::format;

/// How a line of the device check turned out; shown as an icon and a word, never by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// There, and used.
    Used,
    /// There, but not used.
    Unused,
    /// Not there.
    Absent,
    /// Not there, and nothing works without it.
    Missing,
    /// Not known.
    Unknown,
}

/// One line of the device check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Stable name for tests.
    pub key: &'static str,
    /// Name of the ability.
    pub label: &'static str,
    /// The finding.
    pub value: String,
    /// How it turned out.
    pub mark: Mark,
}

/// The whole check, one line each. `report`: of what runs, once a model is loaded; `active`: the build that runs it, or
/// would.
pub fn lines(device: &Device, report: Option<&Report>, active: Option<&ActiveBuild>) -> Vec<Line> {
    let line = |key, label, (value, mark): (String, Mark)| Line { key, label, value, mark };
    vec![
        line("simd", "Wasm SIMD", simd(device)),
        line("relaxed-simd", "Relaxed SIMD", relaxed_simd(device, active)),
        line("webgpu", "WebGPU", gpu(device, report)),
        line("threads", "Threads", threads(device, active)),
        line("memory", "Memory", memory(device)),
        line("storage", "Storage", storage(device)),
    ]
}

fn simd(device: &Device) -> (String, Mark) {
    match device.simd {
        true => ("128-bit, available".to_owned(), Mark::Used),
        false => ("not available".to_owned(), Mark::Missing),
    }
}

fn relaxed_simd(device: &Device, active: Option<&ActiveBuild>) -> (String, Mark) {
    let (value, mark) = match (device.relaxed_simd, active) {
        (Relaxed::Absent, _) => ("not available, not needed", Mark::Absent),
        (_, Some(active)) if active.build.relaxed => ("available", Mark::Used),
        (Relaxed::Emulated, _) => ("available, but slow on this processor", Mark::Unused),
        (Relaxed::Direct, _) => ("available, but the build with it did not start", Mark::Unused),
    };
    (value.to_owned(), mark)
}

fn gpu(device: &Device, report: Option<&Report>) -> (String, Mark) {
    match &device.gpu {
        Gpu::Asking => ("asking the browser…".to_owned(), Mark::Unknown),
        Gpu::Unsupported => ("not in this browser, not needed".to_owned(), Mark::Absent),
        Gpu::NoAdapter => ("no adapter found, not needed".to_owned(), Mark::Absent),
        Gpu::Adapter { name, software } => {
            let name = if name.is_empty() { "an adapter without a name" } else { name };
            let adapter = names::adapter(name, *software);
            match report {
                None => (format!("{adapter}; tried once the model is here"), Mark::Unused),
                Some(report) if names::is_gpu(&report.name) => (adapter, Mark::Used),
                Some(_) => (format!("{adapter}; not used"), Mark::Unused),
            }
        }
    }
}

fn threads(device: &Device, active: Option<&ActiveBuild>) -> (String, Mark) {
    let Some(active) = active else { return ("none".to_owned(), Mark::Missing) };
    let used = match device.cores {
        Some(cores) => format!("{} of {cores}", active.threads),
        None => active.threads.to_string(),
    };
    match active.single_thread_cause(device) {
        None => (used, Mark::Used),
        Some(_) if device.cores == Some(1) => (used, Mark::Used),
        Some(cause) => (format!("{used}: {cause}"), Mark::Unused),
    }
}

fn memory(device: &Device) -> (String, Mark) {
    match device.memory_gb {
        // Chromium reports at most 8, or 32 in newer versions: a ceiling, not a size.
        Some(gb) => (format!("{} GB or more, says the browser", format::plain(gb)), Mark::Used),
        None => untold(),
    }
}

fn storage(device: &Device) -> (String, Mark) {
    match device.storage {
        Some((used, quota)) => {
            (format!("{} free for this site", format::bytes((quota - used).max(0.0))), Mark::Used)
        }
        None => untold(),
    }
}

fn untold() -> (String, Mark) {
    ("not told by this browser".to_owned(), Mark::Unknown)
}

/// The backend that will run if a model is loaded now, by name, and why, in one or two sentences.
pub fn expected_backend(device: &Device, preference: Preference) -> (&'static str, String) {
    if !device.simd {
        let reason = "This browser cannot run 128-bit SIMD in WebAssembly, which the engine needs. A current \
                      Chrome, Edge, Firefox or Safari can.";
        return ("none", reason.to_owned());
    }
    let processor = "The model will run on the processor";
    let why = match (&device.gpu, preference) {
        (_, Preference::Cpu) => return ("cpu-simd", format!("{processor}: it is what is asked for.")),
        (Gpu::Adapter { .. }, Preference::Gpu) => {
            let reason = "The model will run on the GPU if that gives the processor’s numbers, which is checked \
                          once the model is here.";
            return ("webgpu", reason.to_owned());
        }
        (Gpu::Adapter { .. }, Preference::Automatic) => {
            let reason = "Once the model is here, the GPU is checked against the processor and both are timed; \
                          the faster one runs.";
            return ("webgpu or cpu-simd", reason.to_owned());
        }
        (Gpu::Asking, _) => "the browser is still being asked for a GPU.",
        (Gpu::Unsupported, _) => "this browser has no WebGPU.",
        (Gpu::NoAdapter, _) => "the browser found no WebGPU adapter.",
    };
    ("cpu-simd", format!("{processor}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capable() -> Device {
        Device { simd: true, cores: Some(8), memory_gb: Some(8.0), ..Device::default() }
    }

    #[test]
    fn without_simd_the_page_says_what_to_do() {
        let device = Device::default();
        assert!(!device.supported());
        assert!(expected_backend(&device, Preference::Automatic).1.contains("current"));
        assert_eq!(lines(&device, None, None)[0].mark, Mark::Missing);
    }

    fn with_adapter(name: &str, software: bool) -> Device {
        Device { gpu: Gpu::Adapter { name: name.into(), software }, ..capable() }
    }

    fn webgpu(device: &Device, running: Option<&Report>) -> (String, Mark) {
        let line = lines(device, running, None).into_iter().find(|line| line.key == "webgpu").unwrap();
        (line.value, line.mark)
    }

    fn running(name: &str) -> Report {
        Report { name: name.into(), reason: String::new(), adapter: None, variant: None, check: None }
    }

    #[test]
    fn an_adapter_is_tried_before_it_is_claimed() {
        let device = with_adapter("acme x1", false);
        let (name, reason) = expected_backend(&device, Preference::Automatic);
        assert_eq!(name, "webgpu or cpu-simd");
        assert!(reason.contains("checked") && reason.contains("timed"), "{reason}");
        assert_eq!(webgpu(&device, None), ("acme x1; tried once the model is here".into(), Mark::Unused));
        assert_eq!(webgpu(&device, Some(&running("webgpu"))), ("acme x1".into(), Mark::Used));
        assert_eq!(webgpu(&device, Some(&running("cpu-simd"))), ("acme x1; not used".into(), Mark::Unused));
        assert_eq!(expected_backend(&device, Preference::Cpu).0, "cpu-simd");
        assert_eq!(expected_backend(&device, Preference::Gpu).0, "webgpu");
    }

    #[test]
    fn a_software_adapter_is_called_one() {
        for device in [with_adapter("google swiftshader", false), with_adapter("thing", true)] {
            let (value, _) = webgpu(&device, None);
            assert!(value.contains("a software adapter on the processor"), "{value}");
        }
    }

    #[test]
    fn without_an_adapter_the_processor_runs_whatever_was_asked_for() {
        for gpu in [Gpu::Unsupported, Gpu::NoAdapter] {
            let (name, reason) = expected_backend(&Device { gpu, ..capable() }, Preference::Gpu);
            assert_eq!(name, "cpu-simd");
            assert!(reason.contains("WebGPU"), "{reason}");
        }
    }

    #[test]
    fn unknowns_are_called_unknown() {
        let lines = lines(&Device { simd: true, ..Device::default() }, None, None);
        assert!(lines.iter().any(|line| line.key == "memory" && line.mark == Mark::Unknown));
        assert!(lines.iter().all(|line| !line.value.contains("NaN")));
    }
}
