//! The engine's builds: the best that this browser can run is tried first, and one that does not start gives way to the
//! next.

use crate::engine_link::device::{Device, Relaxed};
use crate::shared::{format, text};

/// One build of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build {
    /// Name of its files.
    pub name: &'static str,
    /// Whether it uses relaxed SIMD rather than plain 128-bit SIMD.
    pub relaxed: bool,
    /// Whether its threads share memory, so that there can be more than one.
    pub threads: bool,
}

/// Every build.
const ALL: [Build; 4] = [
    Build { name: "engine-relaxed-threads", relaxed: true, threads: true },
    Build { name: "engine-simd128-threads", relaxed: false, threads: true },
    Build { name: "engine-relaxed", relaxed: true, threads: false },
    Build { name: "engine-simd128", relaxed: false, threads: false },
];

impl Build {
    fn simd(self) -> &'static str {
        if self.relaxed { "relaxed SIMD" } else { "plain SIMD" }
    }

    fn description(self) -> String {
        format!("{} and {}", self.simd(), if self.threads { "threads" } else { "one thread" })
    }
}

/// The builds that a browser can run, best first: a second thread brings more than the faster kind of SIMD does.
pub fn runnable(device: &Device) -> Vec<Build> {
    let threads = device.single_thread_cause().is_none();
    let relaxed = device.relaxed_simd != Relaxed::Absent;
    let runs = |build: &Build| (relaxed || !build.relaxed) && (threads || !build.threads);
    let mut builds: Vec<Build> = ALL.into_iter().filter(runs).collect();
    builds.sort_by_key(|build| (!build.threads, build.relaxed != (device.relaxed_simd == Relaxed::Direct)));
    builds
}

/// One step down from a build that did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The build that did not start.
    pub build: Build,
    /// Why it did not.
    pub cause: String,
}

/// The build that runs, or will once the engine is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveBuild {
    /// The build.
    pub build: Build,
    /// Those before it that did not start.
    pub fallbacks: Vec<Fallback>,
    /// Threads that compute on the processor.
    pub threads: u32,
}

impl ActiveBuild {
    /// After `fallbacks`, with `asked` threads (0: as many as are good); nothing where no build can run.
    pub fn of(device: &Device, fallbacks: Vec<Fallback>, asked: u32) -> Option<Self> {
        let build = *device.supported().then(|| runnable(device))?.get(fallbacks.len())?;
        let threads = match build.threads {
            false => 1,
            true => protocol::threads(asked, device.cores.unwrap_or(1)),
        };
        Some(Self { build, fallbacks, threads })
    }

    /// Why there cannot be more threads than one, where there cannot.
    pub fn single_thread_cause(&self, device: &Device) -> Option<String> {
        let started = || self.fallbacks.last().map(|fallback| fallback.cause.clone()).unwrap_or_default();
        match (self.build.threads, device.single_thread_cause()) {
            (true, _) => None,
            (false, Some(cause)) => Some(cause.to_owned()),
            (false, None) => Some(format!("the builds with threads did not start: {}", started())),
        }
    }

    /// The build that runs and why, as a sentence.
    pub fn reason(&self, device: &Device) -> String {
        let mut why = Vec::new();
        match device.relaxed_simd {
            Relaxed::Absent => why.push("this browser has no relaxed SIMD".to_owned()),
            Relaxed::Emulated if !self.build.relaxed => {
                why.push("relaxed SIMD would be slower on this processor".to_owned());
            }
            _ => {}
        }
        why.extend(device.single_thread_cause().map(str::to_owned));
        why.extend(self.fallbacks.iter().map(|Fallback { build, cause }| {
            format!("the build with {} did not start: {}", build.description(), cause.trim_end_matches('.'))
        }));
        if self.build.threads && self.threads == 1 {
            why.push("one thread is what is asked for".to_owned());
        }
        if why.is_empty() {
            why.push("this browser has both".to_owned());
        }
        let threads = match self.threads {
            1 => "one thread".to_owned(),
            threads => format::counted(threads, "thread", "threads"),
        };
        text::sentence(&format!("{} and {threads}: {}", self.build.simd(), why.join("; ")))
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
        let active = ActiveBuild::of(device, Vec::new(), 0).unwrap();
        (active.build.name, active.reason(device))
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
        assert_eq!(ActiveBuild::of(&Device::default(), Vec::new(), 0), None);
    }

    #[test]
    fn relaxed_simd_in_several_instructions_comes_after_plain_simd() {
        let device = Device { relaxed_simd: Relaxed::Emulated, ..capable() };
        let reason = "Plain SIMD and 2 threads: relaxed SIMD would be slower on this processor.";
        assert_eq!(told(&device), ("engine-simd128-threads", reason.to_owned()));
        let names: Vec<&str> = runnable(&device).iter().map(|build| build.name).collect();
        let [plain, relaxed] = ["engine-simd128", "engine-relaxed"];
        assert_eq!(names, ["engine-simd128-threads", "engine-relaxed-threads", plain, relaxed]);
        let fallback = Fallback { build: runnable(&device)[0], cause: "it is rubbish".to_owned() };
        let reason = ActiveBuild::of(&device, vec![fallback], 0).unwrap().reason(&device);
        assert!(reason.starts_with("Relaxed SIMD and 2 threads: the build with plain SIMD"), "{reason}");
    }

    #[test]
    fn a_build_that_does_not_start_gives_way_to_the_next_which_says_why() {
        let device = capable();
        let all = runnable(&device);
        assert_eq!(all.len(), 4);
        let mut fallbacks = Vec::new();
        for build in &all {
            let active = ActiveBuild::of(&device, fallbacks.clone(), 0).unwrap();
            assert_eq!(active.build, *build);
            assert_eq!(active.single_thread_cause(&device).is_none(), build.threads);
            fallbacks.push(Fallback { build: *build, cause: "it is rubbish.".to_owned() });
        }
        let active = ActiveBuild::of(&device, fallbacks[..1].to_vec(), 0).unwrap();
        assert_eq!(
            active.reason(&device),
            "Plain SIMD and 2 threads: the build with relaxed SIMD and threads did not start: it is rubbish."
        );
        assert_eq!(ActiveBuild::of(&device, fallbacks, 0), None);
    }

    #[test]
    fn threads_are_as_many_as_are_asked_for_or_as_are_good() {
        let many = Device { cores: Some(64), ..capable() };
        assert_eq!(ActiveBuild::of(&many, Vec::new(), 0).unwrap().threads, protocol::AUTOMATIC_THREADS);
        assert_eq!(ActiveBuild::of(&many, Vec::new(), 12).unwrap().threads, 12);
        let one = ActiveBuild::of(&many, Vec::new(), 1).unwrap();
        assert_eq!(one.reason(&many), "Relaxed SIMD and one thread: one thread is what is asked for.");
    }
}
