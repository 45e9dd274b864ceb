//! How many threads compute on the processor.

/// Most threads where none are asked for: a few hold the memory's bandwidth already.
pub const AUTOMATIC_THREADS: u32 = 8;

/// Most threads, however many are asked for.
pub const MOST_THREADS: u32 = 64;

/// Threads to compute on, at least 1: as many as `asked`, or for 0 as many as are good on a machine that has `cores`.
pub fn threads(asked: u32, cores: u32) -> u32 {
    match asked {
        0 => cores.clamp(1, AUTOMATIC_THREADS),
        asked => asked.min(MOST_THREADS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_as_many_as_asked_within_bounds() {
        assert_eq!([threads(0, 0), threads(0, 2), threads(0, 128)], [1, 2, 8]);
        assert_eq!([threads(1, 2), threads(3, 2), threads(u32::MAX, 2)], [1, 3, 64]);
    }
}
