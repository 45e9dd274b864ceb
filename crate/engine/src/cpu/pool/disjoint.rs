//! One buffer, written by several threads.

/// A buffer that several threads write to, no two to the same element.
pub struct DisjointSlices<'a, T> {
    first: *mut T,
    len: usize,
    _borrowed: std::marker::PhantomData<&'a mut [T]>,
}

// SAFETY: whoever asks for a slice promises that nobody else has it.
unsafe impl<T: Send> Send for DisjointSlices<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for DisjointSlices<'_, T> {}

impl<'a, T> DisjointSlices<'a, T> {
    /// Of this buffer.
    pub fn of(buffer: &'a mut [T]) -> Self {
        Self { first: buffer.as_mut_ptr(), len: buffer.len(), _borrowed: std::marker::PhantomData }
    }

    /// Elements in all.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes one element.
    ///
    /// # Safety
    /// As [`DisjointSlices::slice`].
    #[inline]
    pub unsafe fn set(&self, index: usize, value: T) {
        // SAFETY: the caller's.
        let slice = unsafe { self.slice(index, 1) };
        slice[0] = value;
    }

    /// `len` elements from `start` on.
    ///
    /// # Safety
    /// No other thread holds any of them.
    ///
    /// # Panics
    /// They are not all in the buffer.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn slice(&self, start: usize, len: usize) -> &mut [T] {
        assert!(start <= self.len && len <= self.len - start, "a slice lies in its buffer");
        // SAFETY: in bounds by the assertion, exclusive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(start), len) }
    }
}
