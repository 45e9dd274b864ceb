//! What this device and browser offer, found out before anything is downloaded, and what follows from it.

use protocol::{Preference, Report};

use crate::engine_link::builds::Standing;
use crate::run::model::backend;

/// Wasm that is valid only with 128-bit SIMD: one function that returns `i8x16.splat(0)`.
pub const SIMD_PROBE: &[u8] = &[
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version 1
    0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, // one type: () -> v128
    0x03, 0x02, 0x01, 0x00, // one function of that type
    0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b, // its body
];

/// Wasm that is valid only with relaxed SIMD: `dot`, which returns a lane of `i32x4.relaxed_dot_i8x16_i7x16_add_s` of −128
/// and a byte with the eighth bit set, for which processors may differ.
pub const DOT_PROBE: &[u8] = &[
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version 1
    0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f, // one type: () -> i32
    0x03, 0x02, 0x01, 0x00, // one function of that type
    0x07, 0x07, 0x01, 0x03, 0x64, 0x6f, 0x74, 0x00, 0x00, // exported as "dot"
    0x0a, 0x17, 0x01, 0x15, 0x00, 0x41, 0x80, 0x7f, 0xfd, 0x0f, 0x41, 0x7f, 0xfd, 0x0f, 0x41, 0x00, 0xfd,
    0x11, 0xfd, 0x93, 0x02, 0xfd, 0x1b, 0x00, 0x0b, // its body
];

/// What [`DOT_PROBE`] returns where products are summed in pairs that saturate at 16 bits: −2^15, twice. The instruction
/// that sums four of them at once does not saturate.
pub const IN_PAIRS: f64 = -65_536.0;

/// Relaxed SIMD in WebAssembly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relaxed {
    /// Not in this browser.
    #[default]
    Absent,
    /// There, but this processor has, or the browser knows, no instruction for its dot product of four bytes: the several
    /// that stand for it are slower than plain SIMD's products of 16-bit pairs.
    Emulated,
    /// There, and nothing says that it is slow.
    Direct,
}

/// What asking for a GPU brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Gpu {
    /// Not known yet.
    #[default]
    Asking,
    /// The browser has no WebGPU.
    Unsupported,
    /// The browser has WebGPU, but found no adapter on this device.
    NoAdapter,
    /// An adapter.
    Adapter {
        /// What it says about itself; may be empty.
        name: String,
        /// Whether it says that it is a program on the processor.
        software: bool,
    },
}

/// Software adapters that say so by their name only.
pub fn is_software(name: &str) -> bool {
    let name = name.to_lowercase();
    ["swiftshader", "llvmpipe", "softpipe", "basic render"].iter().any(|known| name.contains(known))
}

/// What this device and browser offer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    /// 128-bit SIMD in WebAssembly.
    pub simd: bool,
    /// Relaxed SIMD in WebAssembly.
    pub relaxed_simd: Relaxed,
    /// WebGPU.
    pub gpu: Gpu,
    /// Whether the server's headers let the page share memory between threads.
    pub isolated: bool,
    /// Whether the browser can share memory between threads.
    pub shared_memory: bool,
    /// Logical processors.
    pub cores: Option<u32>,
    /// Memory in GB; browsers round it and stop at a ceiling.
    pub memory_gb: Option<f64>,
    /// Bytes this site uses and may use in this browser's storage.
    pub storage: Option<(f64, f64)>,
}

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
    /// What was checked.
    pub label: &'static str,
    /// What was found.
    pub value: String,
    /// How it turned out.
    pub mark: Mark,
}

impl Device {
    /// Whether the engine can run here at all.
    pub fn supported(&self) -> bool {
        self.simd
    }

    /// Why the engine can have one thread only, where it can have no more.
    pub fn alone(&self) -> Option<&'static str> {
        match self {
            Self { cores: Some(1), .. } => Some("this device has one processor core"),
            Self { isolated: false, .. } => {
                Some("the page is not cross-origin isolated, so that threads cannot share memory")
            }
            Self { shared_memory: false, .. } => Some("this browser shares no memory between threads"),
            _ => None,
        }
    }

    /// Takes what the worker found, which may differ from what the page's own question brought.
    pub fn found(&mut self, gpu: protocol::Gpu) {
        self.gpu = match (gpu, &self.gpu) {
            (protocol::Gpu::Adapter { name, software }, _) => Gpu::Adapter { name, software },
            (protocol::Gpu::None(_), Gpu::Unsupported) => Gpu::Unsupported,
            (protocol::Gpu::None(_), _) => Gpu::NoAdapter,
        };
    }

    /// The whole check, one line each; `running` is what runs once a model is loaded, `standing` the build of it.
    pub fn lines(&self, running: Option<&Report>, standing: Option<&Standing>) -> Vec<Line> {
        let line = |key, label, value: String, mark| Line { key, label, value, mark };
        let (simd, simd_mark) =
            if self.simd { ("128-bit, available", Mark::Used) } else { ("not available", Mark::Missing) };
        let (relaxed, relaxed_mark) = match (self.relaxed_simd, standing) {
            (Relaxed::Absent, _) => ("not available, not needed", Mark::Absent),
            (_, Some(standing)) if standing.rung.relaxed => ("available", Mark::Used),
            (Relaxed::Emulated, _) => ("available, but slow on this processor", Mark::Unused),
            (Relaxed::Direct, _) => ("available, but the build with it did not start", Mark::Unused),
        };
        let (gpu, gpu_mark) = self.gpu_line(running);
        let (threads, threads_mark) = self.threads(standing);
        vec![
            line("simd", "Wasm SIMD", simd.to_owned(), simd_mark),
            line("relaxed-simd", "Relaxed SIMD", relaxed.to_owned(), relaxed_mark),
            line("webgpu", "WebGPU", gpu, gpu_mark),
            line("threads", "Threads", threads, threads_mark),
            line("memory", "Memory", self.memory(), self.known(self.memory_gb.is_some())),
            line("storage", "Storage", self.room(), self.known(self.storage.is_some())),
        ]
    }

    fn known(&self, known: bool) -> Mark {
        if known { Mark::Used } else { Mark::Unknown }
    }

    fn gpu_line(&self, running: Option<&Report>) -> (String, Mark) {
        match &self.gpu {
            Gpu::Asking => ("asking the browser…".to_owned(), Mark::Unknown),
            Gpu::Unsupported => ("not in this browser, not needed".to_owned(), Mark::Absent),
            Gpu::NoAdapter => ("no adapter found, not needed".to_owned(), Mark::Absent),
            Gpu::Adapter { name, software } => {
                let name = if name.is_empty() { "an adapter without a name" } else { name };
                let adapter = backend::adapter(name, *software);
                match running {
                    None => (format!("{adapter}; tried once the model is here"), Mark::Unused),
                    Some(report) if backend::is_gpu(&report.name) => (adapter, Mark::Used),
                    Some(_) => (format!("{adapter}; not used"), Mark::Unused),
                }
            }
        }
    }

    fn threads(&self, standing: Option<&Standing>) -> (String, Mark) {
        let Some(standing) = standing else { return ("none".to_owned(), Mark::Missing) };
        let used = match self.cores {
            Some(cores) => format!("{} of {cores}", standing.threads),
            None => standing.threads.to_string(),
        };
        match standing.alone(self) {
            None => (used, Mark::Used),
            Some(_) if self.cores == Some(1) => (used, Mark::Used),
            Some(cause) => (format!("{used}: {cause}"), Mark::Unused),
        }
    }

    fn memory(&self) -> String {
        match self.memory_gb {
            // Chromium reports at most 8, or 32 in newer versions: a ceiling, not a size.
            Some(gb) => format!("{} GB or more, says the browser", crate::shared::format::plain(gb)),
            None => "not told by this browser".to_owned(),
        }
    }

    fn room(&self) -> String {
        match self.storage {
            Some((used, quota)) => {
                format!("{} free for this site", crate::shared::format::bytes((quota - used).max(0.0)))
            }
            None => "not told by this browser".to_owned(),
        }
    }

    /// What will run if a model is loaded now, by name, and why, in one or two sentences.
    pub fn backend(&self, preference: Preference) -> (&'static str, String) {
        if !self.simd {
            let reason = "This browser cannot run 128-bit SIMD in WebAssembly, which the engine needs. A current \
                          Chrome, Edge, Firefox or Safari can.";
            return ("none", reason.to_owned());
        }
        let processor = "The model will run on the processor";
        let why = match (&self.gpu, preference) {
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
        assert!(device.backend(Preference::Automatic).1.contains("current"));
        assert_eq!(device.lines(None, None)[0].mark, Mark::Missing);
    }

    fn with_adapter(name: &str, software: bool) -> Device {
        Device { gpu: Gpu::Adapter { name: name.into(), software }, ..capable() }
    }

    fn webgpu(device: &Device, running: Option<&Report>) -> (String, Mark) {
        let line = device.lines(running, None).into_iter().find(|line| line.key == "webgpu").unwrap();
        (line.value, line.mark)
    }

    fn running(name: &str) -> Report {
        Report { name: name.into(), reason: String::new(), adapter: None, variant: None, check: None }
    }

    #[test]
    fn an_adapter_is_tried_before_it_is_claimed() {
        let device = with_adapter("acme x1", false);
        let (name, reason) = device.backend(Preference::Automatic);
        assert_eq!(name, "webgpu or cpu-simd");
        assert!(reason.contains("checked") && reason.contains("timed"), "{reason}");
        assert_eq!(webgpu(&device, None), ("acme x1; tried once the model is here".into(), Mark::Unused));
        assert_eq!(webgpu(&device, Some(&running("webgpu"))), ("acme x1".into(), Mark::Used));
        assert_eq!(webgpu(&device, Some(&running("cpu-simd"))), ("acme x1; not used".into(), Mark::Unused));
        assert_eq!(device.backend(Preference::Cpu).0, "cpu-simd");
        assert_eq!(device.backend(Preference::Gpu).0, "webgpu");
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
            let (name, reason) = Device { gpu, ..capable() }.backend(Preference::Gpu);
            assert_eq!(name, "cpu-simd");
            assert!(reason.contains("WebGPU"), "{reason}");
        }
    }

    #[test]
    fn unknowns_are_called_unknown() {
        let lines = Device { simd: true, ..Device::default() }.lines(None, None);
        assert!(lines.iter().any(|line| line.key == "memory" && line.mark == Mark::Unknown));
        assert!(lines.iter().all(|line| !line.value.contains("NaN")));
    }

    #[test]
    fn probes_are_whole_modules() {
        for probe in [SIMD_PROBE, DOT_PROBE] {
            // Sections follow each other up to exactly the end of the module.
            let mut at = 8;
            while at < probe.len() {
                at += 2 + usize::from(probe[at + 1]);
            }
            assert_eq!(at, probe.len());
        }
    }
}
