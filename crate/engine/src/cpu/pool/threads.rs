//! A persistent pool of threads for one caller: a job is cut into pieces, and whoever is free takes the next one.
//!
//! Threads spin for the next job, since the next one comes within microseconds while tokens are decoded, and park
//! when none comes. A job is over when its pieces are done, not when every thread has looked: one that the system has
//! put aside delays nothing but the piece it holds. Which thread computes a piece never changes what comes out of it.

use std::cell::UnsafeCell;
use std::ops::Range;
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};

/// Rounds of looking before a thread parks: about a millisecond, longer than sampling and telling a token takes.
const SPINS: u32 = 100_000;

/// How long a parked thread waits before it looks again by itself.
const NAP: Duration = Duration::from_millis(100);

/// Naps after which a piece that does not end is given up: twenty seconds, far beyond any.
const PATIENCE: u32 = 200;

/// Naps that the living get for the pieces they hold when a thread has died: a second.
const GRACE: u32 = 10;

/// Ranges for each thread that a job is cut into.
const PIECES: usize = 2;

/// The computation, by number of the piece.
type Work = *const (dyn Fn(usize) + Sync);

/// Threads that compute together, for one caller at a time: another one, or a piece that calls again, computes alone.
pub struct Pool {
    shared: Arc<Shared>,
    threads: usize,
    caller: Mutex<()>,
}

/// One thread that helps; [`run`](WorkerThread::run) is called on a thread of its own.
pub struct WorkerThread {
    shared: Arc<Shared>,
}

/// On a cache line of its own, so that those who look at it are not disturbed by what is written beside it.
#[repr(align(64))]
struct CachePadded<T>(T);

struct Shared {
    /// The job under way, see [`Ticket`].
    ticket: CachePadded<AtomicU64>,
    /// Pieces that are done.
    done: CachePadded<AtomicUsize>,
    /// The job's computation; read only by whoever holds a piece of it.
    work: UnsafeCell<Option<Work>>,
    /// 1 once a thread is known to have died.
    broken: AtomicU32,
    closed: AtomicBool,
    parked: AtomicUsize,
    lock: Mutex<()>,
    wake: Condvar,
}

// SAFETY: `work` is written only while no piece is out, and read only by holders of a piece.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Pool {
    /// The caller's thread alone.
    pub fn alone() -> Arc<Self> {
        Arc::new(Self::new(1).0)
    }

    /// `threads` in all, the caller's included, and a [`WorkerThread`] for each of the others; they should run before the
    /// first job comes, though a job does not wait for them.
    pub fn new(threads: usize) -> (Self, Vec<WorkerThread>) {
        let shared = Arc::new(Shared {
            ticket: CachePadded(AtomicU64::new(0)),
            done: CachePadded(AtomicUsize::new(0)),
            work: UnsafeCell::new(None),
            broken: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            parked: AtomicUsize::new(0),
            lock: Mutex::new(()),
            wake: Condvar::new(),
        });
        let workers = (1..threads).map(|_| WorkerThread { shared: Arc::clone(&shared) }).collect();
        (Self { shared, threads: threads.max(1), caller: Mutex::new(()) }, workers)
    }

    /// As [`Pool::new`], with threads of the system.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn spawn(threads: usize) -> Arc<Self> {
        let (pool, workers) = Self::new(threads);
        for worker in workers {
            std::thread::spawn(move || worker.run());
        }
        Arc::new(pool)
    }

    /// Threads in all.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work` for every piece from 0 to `pieces`, on whatever threads are free, and returns when all are done.
    /// After a thread has died nothing is computed any more: see [`Pool::check`].
    ///
    /// # Panics
    /// There are more pieces than a u16 counts.
    pub fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        let caller = self.caller.try_lock();
        if self.threads == 1 || pieces <= 1 || caller.is_err() {
            (0..pieces).for_each(work);
            return;
        }
        assert!(pieces <= usize::from(u16::MAX), "a job has at most 65,535 pieces");
        let pieces = pieces as u16;
        if self.shared.broken.load(Relaxed) == 0 {
            self.shared.start(pieces, work);
            self.shared.take_part();
            self.shared.wait_until_done(pieces);
        }
    }

    /// Runs `work` over 0..`total` in ranges, a few for every thread: enough that one which is held up leaves the
    /// rest to the others.
    pub fn split(&self, total: usize, work: &(dyn Fn(Range<usize>) + Sync)) {
        let pieces = if self.threads == 1 { total.min(1) } else { total.min(self.threads * PIECES) };
        self.run(pieces, &|piece| work(total * piece / pieces..total * (piece + 1) / pieces));
    }

    /// # Errors
    /// A thread has died; what was computed since is worth nothing.
    pub fn check(&self) -> Result<()> {
        match self.shared.broken.load(Acquire) {
            0 => Ok(()),
            _ => Err(Error::Threads { threads: self.threads }),
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool of {}", self.threads)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.closed.store(true, SeqCst);
        self.shared.wake_all();
    }
}

impl WorkerThread {
    /// Helps until the pool is dropped.
    pub fn run(self) {
        let guard = Dying(&self.shared);
        let mut seen = 0;
        while self.shared.wait_for_job(&mut seen) {
            self.shared.take_part();
        }
        std::mem::forget(guard);
    }

    /// Where to write 1 when the thread that runs this has ended without a word: a browser's script can see that a
    /// thread trapped, the thread itself cannot.
    pub fn broken(&self) -> *const AtomicU32 {
        &raw const self.shared.broken
    }
}

/// Tells the others when a panic ends its thread.
struct Dying<'a>(&'a Shared);

impl Drop for Dying<'_> {
    fn drop(&mut self) {
        self.0.broken.store(1, SeqCst);
        self.0.wake_all();
    }
}

/// A job as one word, so that taking a piece of it is one exchange that fails once the job is another one.
#[derive(Clone, Copy)]
struct Ticket {
    job: u32,
    pieces: u16,
    /// The next piece to take.
    next: u16,
}

impl Ticket {
    fn word(self) -> u64 {
        u64::from(self.job) << 32 | u64::from(self.pieces) << 16 | u64::from(self.next)
    }

    fn read(word: u64) -> Self {
        Self { job: (word >> 32) as u32, pieces: (word >> 16) as u16, next: word as u16 }
    }
}

impl Shared {
    fn job(&self) -> u32 {
        Ticket::read(self.ticket.0.load(Acquire)).job
    }

    fn start(&self, pieces: u16, work: &(dyn Fn(usize) + Sync)) {
        // SAFETY: the last job's pieces are all done, so nobody reads this. The pointer outlives the job, because
        // `Pool::run` returns only when its pieces are done as well.
        unsafe { *self.work.get() = Some(std::mem::transmute::<&(dyn Fn(usize) + Sync), Work>(work)) };
        self.done.0.store(0, Relaxed);
        self.ticket.0.store(Ticket { job: self.job().wrapping_add(1), pieces, next: 0 }.word(), SeqCst);
        if self.parked.load(SeqCst) > 0 {
            self.wake_all();
        }
    }

    /// Takes pieces of the job under way until none is left.
    fn take_part(&self) {
        loop {
            let word = self.ticket.0.load(Acquire);
            let Ticket { pieces, next, .. } = Ticket::read(word);
            if next >= pieces {
                return;
            }
            // Fails if another thread was quicker, or if the job is over and another one has begun.
            if self.ticket.0.compare_exchange_weak(word, word + 1, SeqCst, Relaxed).is_err() {
                continue;
            }
            // SAFETY: this thread holds a piece, so the job is not over, and `work` is that job's.
            let work = unsafe { *self.work.get() };
            if let Some(work) = work {
                // SAFETY: as above; the caller keeps what it points to until all pieces are done.
                unsafe { (*work)(usize::from(next)) };
            }
            if self.done.0.fetch_add(1, SeqCst) + 1 == usize::from(pieces) && self.parked.load(SeqCst) > 0 {
                self.wake_all();
            }
        }
    }

    /// Returns when nobody computes the job any more: when it is done, or when a thread has died and the others have
    /// put down what they held.
    fn wait_until_done(&self, pieces: u16) {
        let done = |pieces: u16| self.done.0.load(Acquire) == usize::from(pieces);
        if !self.wait(|| done(pieces) || self.broken.load(Relaxed) != 0, PATIENCE) {
            self.broken.store(1, SeqCst);
        }
        if !done(pieces) {
            let taken = self.withdraw();
            self.wait(|| done(taken), GRACE);
        }
    }

    /// Hands out no more pieces of the job; gives how many were.
    fn withdraw(&self) -> u16 {
        loop {
            let word = self.ticket.0.load(Acquire);
            let ticket = Ticket::read(word);
            let none = Ticket { next: ticket.pieces, ..ticket };
            if self.ticket.0.compare_exchange(word, none.word(), SeqCst, Relaxed).is_ok() {
                return ticket.next;
            }
        }
    }

    /// Until there is a job after number `seen`; false when the pool is gone.
    fn wait_for_job(&self, seen: &mut u32) -> bool {
        let before = *seen;
        let over = || self.job() != before || self.closed.load(Relaxed);
        self.wait(over, u32::MAX);
        *seen = self.job();
        !self.closed.load(Relaxed)
    }

    /// Spins, then naps until `over`; false after `naps` of them.
    fn wait(&self, over: impl Fn() -> bool, naps: u32) -> bool {
        for _ in 0..SPINS {
            if over() {
                return true;
            }
            std::hint::spin_loop();
        }
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.parked.fetch_add(1, SeqCst);
        let mut left = naps;
        while !over() && left > 0 {
            let woken = self.wake.wait_timeout(guard, NAP).unwrap_or_else(PoisonError::into_inner);
            if woken.1.timed_out() && naps != u32::MAX {
                left -= 1;
            }
            guard = woken.0;
        }
        self.parked.fetch_sub(1, SeqCst);
        left > 0
    }

    fn wake_all(&self) {
        // Under the lock, so that nobody is between looking and sleeping.
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_all();
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::cpu::pool::DisjointSlices;

    #[test]
    fn every_piece_of_every_job_is_done_once() {
        for threads in [1, 2, 3, 7] {
            let pool = Pool::spawn(threads);
            for job in 0..2_000 {
                let mut counts = vec![0u32; job % 19];
                let slices = DisjointSlices::of(&mut counts);
                // SAFETY: a piece is handed out once.
                pool.run(slices.len(), &|piece| unsafe { slices.slice(piece, 1) }[0] += 1);
                assert!(counts.iter().all(|count| *count == 1), "{threads} threads, job {job}: {counts:?}");
            }
            pool.check().unwrap();
        }
    }

    #[test]
    fn a_piece_that_calls_again_computes_alone() {
        let pool = Pool::spawn(2);
        let sum = AtomicUsize::new(0);
        pool.run(10, &|_| {
            pool.run(10, &|piece| {
                sum.fetch_add(piece, Relaxed);
            });
        });
        assert_eq!(sum.into_inner(), 450);
    }

    #[test]
    fn parked_threads_come_back() {
        let pool = Pool::spawn(3);
        for _ in 0..3 {
            let sum = AtomicUsize::new(0);
            pool.run(100, &|piece| {
                sum.fetch_add(piece, Relaxed);
            });
            assert_eq!(sum.into_inner(), 4950);
            std::thread::sleep(Duration::from_millis(150));
        }
    }

    #[test]
    fn a_thread_that_dies_is_an_error_and_no_hang() {
        let (pool, mut workers) = Pool::new(2);
        let worker = workers.remove(0);
        let dying = std::thread::spawn(move || worker.run());
        // The caller waits in its first piece until the other thread has taken one, which kills that thread.
        let taken = AtomicBool::new(false);
        let caller = std::thread::current().id();
        pool.run(64, &|_| match std::thread::current().id() == caller {
            true => {
                while !taken.load(SeqCst) {
                    std::thread::yield_now();
                }
            }
            false => {
                taken.store(true, SeqCst);
                panic!("a test kills this thread");
            }
        });
        assert!(dying.join().is_err());
        assert!(pool.check().unwrap_err().to_string().contains("one of 2 threads"));
        pool.run(4, &|_| panic!("nothing is computed any more"));
    }
}
