//! The allocator, watched: Rust ends the module when memory runs out and says nothing of it, so the size
//! that was refused is kept here for the sentence the visitor gets.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Size of the last refused allocation, bytes; 0 when none was.
static REFUSED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static HEAP: Watched = Watched;

struct Watched;

/// Bytes of the allocation that could not be had, if one could not.
pub(crate) fn refused() -> Option<usize> {
    match REFUSED.load(Ordering::Relaxed) {
        0 => None,
        bytes => Some(bytes),
    }
}

fn noted(pointer: *mut u8, bytes: usize) -> *mut u8 {
    if pointer.is_null() {
        REFUSED.store(bytes, Ordering::Relaxed);
    }
    pointer
}

// SAFETY: every call goes to the system allocator unchanged, and its answer is handed on unchanged.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises about the layout are the ones asked for.
        noted(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for `alloc`.
        noted(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the pointer came from `alloc` above, so from the system allocator, with this layout.
        noted(unsafe { System.realloc(pointer, layout, new_size) }, new_size)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as for `realloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}
