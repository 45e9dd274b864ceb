//! The device's and the browser's abilities, found out before anything is downloaded.

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

/// The result of [`DOT_PROBE`] where products are summed in pairs that saturate at 16 bits: −2^15, twice. The instruction
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

/// The answer to a request for a GPU.
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
        /// Its own description; may be empty.
        name: String,
        /// Whether it says that it is a program on the processor.
        software: bool,
    },
}

/// The device's and the browser's abilities.
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

impl Device {
    /// Whether the engine can run here at all.
    pub fn supported(&self) -> bool {
        self.simd
    }

    /// Why the engine can have one thread only, where it can have no more.
    pub fn single_thread_cause(&self) -> Option<&'static str> {
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
