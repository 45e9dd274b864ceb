//! What this device and browser offer, found out before anything is downloaded, and what follows from it.

/// Wasm that is valid only with 128-bit SIMD: one function that returns `i8x16.splat(0)`.
pub const SIMD_PROBE: &[u8] = &[
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version 1
    0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, // one type: () -> v128
    0x03, 0x02, 0x01, 0x00, // one function of that type
    0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b, // its body
];

/// Wasm that is valid only with relaxed SIMD: `i8x16.relaxed_swizzle` of two splats.
pub const RELAXED_PROBE: &[u8] = &[
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version 1
    0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, // one type: () -> v128
    0x03, 0x02, 0x01, 0x00, // one function of that type
    0x0a, 0x0f, 0x01, 0x0d, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f, 0xfd, 0x80, 0x02,
    0x0b, // its body
];

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
    /// An adapter, with what it says about itself (may be empty).
    Adapter(String),
}

/// What this device and browser offer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    /// 128-bit SIMD in WebAssembly.
    pub simd: bool,
    /// Relaxed SIMD in WebAssembly.
    pub relaxed_simd: bool,
    /// WebGPU.
    pub gpu: Gpu,
    /// Whether the page may share memory between threads.
    pub isolated: bool,
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
    /// There, but this version does not use it.
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

    /// The whole check, one line each.
    pub fn lines(&self) -> Vec<Line> {
        let line = |key, label, value: String, mark| Line { key, label, value, mark };
        let (simd, simd_mark) =
            if self.simd { ("128-bit, available", Mark::Used) } else { ("not available", Mark::Missing) };
        let (relaxed, relaxed_mark) = if self.relaxed_simd {
            ("available, not used yet", Mark::Unused)
        } else {
            ("not available, not needed", Mark::Absent)
        };
        let (gpu, gpu_mark) = self.gpu_line();
        vec![
            line("simd", "Wasm SIMD", simd.to_owned(), simd_mark),
            line("relaxed-simd", "Relaxed SIMD", relaxed.to_owned(), relaxed_mark),
            line("webgpu", "WebGPU", gpu, gpu_mark),
            line("threads", "Threads", self.threads(), Mark::Used),
            line("memory", "Memory", self.memory(), self.known(self.memory_gb.is_some())),
            line("storage", "Storage", self.room(), self.known(self.storage.is_some())),
        ]
    }

    fn known(&self, known: bool) -> Mark {
        if known { Mark::Used } else { Mark::Unknown }
    }

    fn gpu_line(&self) -> (String, Mark) {
        match &self.gpu {
            Gpu::Asking => ("asking the browser…".to_owned(), Mark::Unknown),
            Gpu::Unsupported => ("not in this browser, not needed".to_owned(), Mark::Absent),
            Gpu::NoAdapter => ("no adapter found, not needed".to_owned(), Mark::Absent),
            Gpu::Adapter(name) if name.is_empty() => ("adapter found, not used yet".to_owned(), Mark::Unused),
            Gpu::Adapter(name) => (format!("{name}, not used yet"), Mark::Unused),
        }
    }

    fn threads(&self) -> String {
        let shared = if self.isolated { "could share memory" } else { "cannot share memory here" };
        match self.cores {
            Some(cores) => format!("1 of {cores} used; they {shared}"),
            None => format!("1 used; more {shared}"),
        }
    }

    fn memory(&self) -> String {
        match self.memory_gb {
            // Chromium reports at most 8, or 32 in newer versions: a ceiling, not a size.
            Some(gb) => format!("{} GB or more, says the browser", crate::format::plain(gb)),
            None => "not told by this browser".to_owned(),
        }
    }

    fn room(&self) -> String {
        match self.storage {
            Some((used, quota)) => {
                format!("{} free for this site", crate::format::bytes((quota - used).max(0.0)))
            }
            None => "not told by this browser".to_owned(),
        }
    }

    /// Which backend runs, and why, in one or two sentences.
    pub fn reason(&self) -> String {
        if !self.simd {
            return "This browser cannot run 128-bit SIMD in WebAssembly, which the engine needs. A current \
                    Chrome, Edge, Firefox or Safari can."
                .to_owned();
        }
        let gpu = match &self.gpu {
            Gpu::Adapter(_) => {
                "The WebGPU adapter found here is left alone: this version has no GPU backend."
            }
            Gpu::Asking | Gpu::Unsupported | Gpu::NoAdapter => "This version has no GPU backend.",
        };
        format!("The model will run on the processor with 128-bit SIMD, on one thread. {gpu}")
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
        assert!(device.reason().contains("current"));
        assert_eq!(device.lines()[0].mark, Mark::Missing);
    }

    #[test]
    fn an_adapter_is_named_but_not_claimed() {
        let device = Device { gpu: Gpu::Adapter("acme x1".into()), ..capable() };
        assert!(device.reason().contains("no GPU backend"));
        let line = device.lines().into_iter().find(|line| line.key == "webgpu").unwrap();
        assert_eq!((line.value.as_str(), line.mark), ("acme x1, not used yet", Mark::Unused));
    }

    #[test]
    fn unknowns_are_called_unknown() {
        let lines = Device { simd: true, ..Device::default() }.lines();
        assert!(lines.iter().any(|line| line.key == "memory" && line.mark == Mark::Unknown));
        assert!(lines.iter().all(|line| !line.value.contains("NaN")));
    }

    #[test]
    fn probes_are_whole_modules() {
        for probe in [SIMD_PROBE, RELAXED_PROBE] {
            // The last section's length reaches exactly to the end of the module.
            let code = 8 + 7 + 4;
            assert_eq!(probe[code], 0x0a);
            assert_eq!(probe.len(), code + 2 + usize::from(probe[code + 1]));
        }
    }
}
