//! The engine's builds as a ladder: the best that this browser can run is tried first, and one that does not start
//! gives way to the next.

use crate::engine_link::device::{Device, Relaxed};
use crate::shared::format;

/// Threads that the engine starts unasked, at most.
const UNASKED: u32 = 8;

/// One build of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Name of its files.
    pub name: &'static str,
    /// Whether it uses relaxed SIMD rather than plain 128-bit SIMD.
    pub relaxed: bool,
    /// Whether its threads share memory, so that there can be more than one.
    pub threads: bool,
}

/// Every build.
const ALL: [Rung; 4] = [
    Rung { name: "engine-relaxed-threads", relaxed: true, threads: true },
    Rung { name: "engine-simd128-threads", relaxed: false, threads: true },
    Rung { name: "engine-relaxed", relaxed: true, threads: false },
    Rung { name: "engine-simd128", relaxed: false, threads: false },
];

impl Rung {
    fn simd(self) -> &'static str {
        if self.relaxed { "relaxed SIMD" } else { "plain SIMD" }
    }

    fn words(self) -> String {
        format!("{} and {}", self.simd(), if self.threads { "threads" } else { "one thread" })
    }
}

/// The builds that a browser can run, best first: a second thread brings more than the faster kind of SIMD does.
pub fn ladder(device: &Device) -> Vec<Rung> {
    let (threads, relaxed) = (device.alone().is_none(), device.relaxed_simd != Relaxed::Absent);
    let runs = |rung: &Rung| (relaxed || !rung.relaxed) && (threads || !rung.threads);
    let mut ladder: Vec<Rung> = ALL.into_iter().filter(runs).collect();
    ladder.sort_by_key(|rung| (!rung.threads, rung.relaxed != (device.relaxed_simd == Relaxed::Direct)));
    ladder
}

/// A build that did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fall {
    /// Which one.
    pub rung: Rung,
    /// Why not.
    pub cause: String,
}

/// Where on the ladder the engine stands, or will once it is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The build.
    pub rung: Rung,
    /// Those above that did not start.
    pub falls: Vec<Fall>,
    /// Threads that compute on the processor.
    pub threads: u32,
}

impl Standing {
    /// After `falls`, with `asked` threads (0: as many as are good); nothing where no build can run.
    pub fn of(device: &Device, falls: Vec<Fall>, asked: u32) -> Option<Self> {
        let rung = *device.supported().then(|| ladder(device))?.get(falls.len())?;
        let automatic = device.cores.unwrap_or(1).min(UNASKED);
        let threads = match (rung.threads, asked) {
            (false, _) => 1,
            (true, 0) => automatic,
            (true, asked) => asked,
        };
        Some(Self { rung, falls, threads })
    }

    /// Why there cannot be more threads than one, where there cannot.
    pub fn alone(&self, device: &Device) -> Option<String> {
        let started = || self.falls.last().map(|fall| fall.cause.clone()).unwrap_or_default();
        match (self.rung.threads, device.alone()) {
            (true, _) => None,
            (false, Some(cause)) => Some(cause.to_owned()),
            (false, None) => Some(format!("the builds with threads did not start: {}", started())),
        }
    }

    /// What runs and why, as a sentence.
    pub fn told(&self, device: &Device) -> String {
        let mut why = Vec::new();
        match device.relaxed_simd {
            Relaxed::Absent => why.push("this browser has no relaxed SIMD".to_owned()),
            Relaxed::Emulated if !self.rung.relaxed => {
                why.push("relaxed SIMD would be slower on this processor".to_owned());
            }
            _ => {}
        }
        why.extend(device.alone().map(str::to_owned));
        why.extend(self.falls.iter().map(|Fall { rung, cause }| {
            format!("the build with {} did not start: {}", rung.words(), cause.trim_end_matches('.'))
        }));
        if self.rung.threads && self.threads == 1 {
            why.push("one thread is what is asked for".to_owned());
        }
        if why.is_empty() {
            why.push("this browser has both".to_owned());
        }
        let threads = match self.threads {
            1 => "one thread".to_owned(),
            threads => format::counted(threads, "thread", "threads"),
        };
        crate::shared::words::sentence(&format!("{} and {threads}: {}", self.rung.simd(), why.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capable() -> Device {
        Device {
            simd: true,
            relaxed_simd: Relaxed::Direct,
            isolated: true,
            shared_memory: true,
            cores: Some(2),
            ..Device::default()
        }
    }

    fn told(device: &Device) -> (&'static str, String) {
        let standing = Standing::of(device, Vec::new(), 0).unwrap();
        (standing.rung.name, standing.told(device))
    }

    #[test]
    fn the_best_build_that_the_browser_can_run_is_chosen_and_the_reason_told() {
        let both = "Relaxed SIMD and 2 threads: this browser has both.";
        assert_eq!(told(&capable()), ("engine-relaxed-threads", both.to_owned()));
        let (name, reason) = told(&Device { isolated: false, ..capable() });
        assert_eq!(name, "engine-relaxed");
        assert!(
            reason.starts_with("Relaxed SIMD and one thread: the page is not cross-origin isolated"),
            "{reason}"
        );
        let (name, reason) = told(&Device { relaxed_simd: Relaxed::Absent, ..capable() });
        assert_eq!(name, "engine-simd128-threads");
        assert_eq!(reason, "Plain SIMD and 2 threads: this browser has no relaxed SIMD.");
        assert_eq!(told(&Device { cores: Some(1), ..capable() }).0, "engine-relaxed");
        assert_eq!(told(&Device { simd: true, ..Device::default() }).0, "engine-simd128");
        assert_eq!(Standing::of(&Device::default(), Vec::new(), 0), None);
    }

    #[test]
    fn relaxed_simd_in_several_instructions_comes_after_plain_simd() {
        let device = Device { relaxed_simd: Relaxed::Emulated, ..capable() };
        let reason = "Plain SIMD and 2 threads: relaxed SIMD would be slower on this processor.";
        assert_eq!(told(&device), ("engine-simd128-threads", reason.to_owned()));
        let names: Vec<&str> = ladder(&device).iter().map(|rung| rung.name).collect();
        let [plain, relaxed] = ["engine-simd128", "engine-relaxed"];
        assert_eq!(names, ["engine-simd128-threads", "engine-relaxed-threads", plain, relaxed]);
        let fall = Fall { rung: ladder(&device)[0], cause: "it is rubbish".to_owned() };
        let reason = Standing::of(&device, vec![fall], 0).unwrap().told(&device);
        assert!(reason.starts_with("Relaxed SIMD and 2 threads: the build with plain SIMD"), "{reason}");
    }

    #[test]
    fn a_build_that_does_not_start_gives_way_to_the_next_which_says_why() {
        let device = capable();
        let all = ladder(&device);
        assert_eq!(all.len(), 4);
        let mut falls = Vec::new();
        for rung in &all {
            let standing = Standing::of(&device, falls.clone(), 0).unwrap();
            assert_eq!(standing.rung, *rung);
            assert_eq!(standing.alone(&device).is_none(), rung.threads);
            falls.push(Fall { rung: *rung, cause: "it is rubbish.".to_owned() });
        }
        let standing = Standing::of(&device, falls[..1].to_vec(), 0).unwrap();
        assert_eq!(
            standing.told(&device),
            "Plain SIMD and 2 threads: the build with relaxed SIMD and threads did not start: it is rubbish."
        );
        assert_eq!(Standing::of(&device, falls, 0), None);
    }

    #[test]
    fn threads_are_as_many_as_are_asked_for_or_as_are_good() {
        let many = Device { cores: Some(64), ..capable() };
        assert_eq!(Standing::of(&many, Vec::new(), 0).unwrap().threads, UNASKED);
        assert_eq!(Standing::of(&many, Vec::new(), 12).unwrap().threads, 12);
        let one = Standing::of(&many, Vec::new(), 1).unwrap();
        assert_eq!(one.told(&many), "Relaxed SIMD and one thread: one thread is what is asked for.");
    }
}
