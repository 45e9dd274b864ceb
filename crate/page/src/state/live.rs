//! The race as it runs: the answer that comes in, and a simulated request played in the same time.

use leptos::prelude::*;

use super::App;
use super::parts::frame;
use crate::race::{self, Lane};
use crate::timing::BYTES_PER_TOKEN;

/// The race's clock and the simulated side.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    /// Time since the request, ms, once a frame; `None` when no race runs.
    pub(crate) now: RwSignal<Option<f64>>,
    /// The simulated request, of the prompt's size and as long as the answer may become.
    pub(crate) cloud: RwSignal<Option<Lane>>,
}

impl Live {
    pub(super) fn new() -> Self {
        Self { now: RwSignal::new(None), cloud: RwSignal::new(None) }
    }

    /// Tokens that the simulated side has sent.
    pub(crate) fn sent(&self, now: f64) -> usize {
        self.cloud
            .with(|cloud| cloud.as_ref().map_or(0, |lane| lane.arrivals.partition_point(|at| *at <= now)))
    }
}

impl App {
    /// Plays a simulated request beside each answer, frame by frame, until both are there.
    pub(crate) fn follow_race(self) {
        Effect::new(move |before: Option<Option<u32>>| {
            let running = self.chat.running.get();
            if running.is_some() && running != before.flatten() {
                let live = self.live;
                live.cloud.set(untrack(|| self.simulated_lane()));
                live.now.set(Some(0.0));
                leptos::task::spawn_local(self.play(running));
            }
            running
        });
    }

    async fn play(self, id: Option<u32>) {
        let live = self.live;
        loop {
            frame().await;
            let running = self.chat.running.get_untracked();
            if running.is_some() && running != id {
                return;
            }
            let ended = running.is_none();
            if !ended && !seen() {
                continue;
            }
            let now =
                self.chat.recording.with_untracked(|recording| super::chat::now_ms() - recording.asked_ms);
            live.now.set(Some(now));
            let came = self.chat.recording.with_untracked(|recording| recording.arrivals.len());
            // The simulated answer is as long as the measured one, which is known once that has ended.
            let sent = untrack(|| live.sent(now));
            if ended && (sent >= came || live.cloud.with_untracked(Option::is_none)) {
                return live.now.set(None);
            }
        }
    }

    /// One request of the size that is asked for now.
    fn simulated_lane(&self) -> Option<Lane> {
        let bytes = self.chat.recording.with(|recording| recording.prompt_bytes);
        let tokens = self.chat.most_tokens().unwrap_or(256);
        let size = race::Size {
            prompt_bytes: bytes as u64,
            prompt_tokens: (bytes as u32).div_ceil(BYTES_PER_TOKEN as u32),
            output_tokens: tokens,
            measured: false,
        };
        self.race.simulate(size)
    }
}

/// Whether the race stands in the window: what nobody sees must not take time from the engine.
fn seen() -> bool {
    let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
    document().get_element_by_id("compare").is_some_and(|section| {
        let place = section.get_bounding_client_rect();
        place.top() < height && place.bottom() > 0.0
    })
}
