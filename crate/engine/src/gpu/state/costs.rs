//! What decoding costs on the device, counted where it is recorded.

/// Counted since the last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Tokens chosen on the device.
    pub tokens: u64,
    /// Kernels dispatched for them.
    pub dispatches: u64,
    /// Compute passes.
    pub passes: u64,
    /// Submits.
    pub submits: u64,
    /// Bytes read back.
    pub readback_bytes: u64,
}
