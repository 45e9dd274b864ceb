//! A list of the header: it stays in the file until somebody reads it.

/// Where a list lies in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// GGUF's number for the type of its elements.
    pub(super) kind: u32,
    /// Elements.
    pub(super) len: u64,
    /// First byte of the first element, from the start of the file.
    pub(super) offset: u64,
    /// Bytes of all elements.
    pub(super) bytes: u64,
}
