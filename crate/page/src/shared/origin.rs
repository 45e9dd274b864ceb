//! Where a number on the page comes from.

/// Where a number comes from. The mark is a word with a stroke of its own, never a colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Timed or counted on this device, in this tab.
    Measured,
    /// Drawn from a preset with a seed.
    Simulated,
    /// Worked out from what was measured on this device.
    Predicted,
    /// Stated by a named source.
    Cited,
    /// Worked out from what stands in the form.
    Assumed,
}
