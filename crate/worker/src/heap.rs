//! The allocator, watched: Rust ends the module when memory runs out and says nothing of it, so the size
//! that was refused is kept here for the sentence the visitor gets.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use protocol::ADDRESSABLE;

/// Size of the last refused allocation, bytes; 0 when none was.
static REFUSED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static HEAP: Watched = Watched;

/// Bytes that [`room`] asks for at a time.
const STEP: u64 = 64 << 20;

struct Watched;

/// Bytes of the allocation that could not be had, if one could not.
pub(crate) fn refused() -> Option<usize> {
    match REFUSED.load(Ordering::Relaxed) {
        0 => None,
        bytes => Some(bytes),
    }
}

/// How many of `wanted` bytes can be had, in steps of [`STEP`] where that is fewer. They are given back at once, but the
/// module's memory stays as large as they made it.
pub(crate) fn room(wanted: u64) -> u64 {
    let most = wanted.min(ADDRESSABLE);
    // What is noted of each allocation must not need one itself.
    let mut held = Vec::with_capacity((most / STEP) as usize + 1);
    let mut bytes = 0;
    while bytes < most {
        let size = (most - bytes).min(STEP);
        let Ok(layout) = Layout::from_size_align(size as usize, 16) else { break };
        // SAFETY: the layout has a size.
        let pointer = unsafe { System.alloc(layout) };
        if pointer.is_null() {
            break;
        }
        bytes += size;
        held.push((pointer, layout));
    }
    for (pointer, layout) in held {
        // SAFETY: it came from this allocator, with this layout.
        unsafe { System.dealloc(pointer, layout) };
    }
    bytes
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
