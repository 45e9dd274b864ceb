//! The race as it runs: an answer that comes in, and a simulated request played in the same time beside it.

use leptos::prelude::*;

use crate::app::App;
use crate::compare::model::playback::Frame;
use crate::compare::model::size::Size;
use crate::compare::model::timeline::Timeline;
use crate::compare::model::verdict::verdict;
use crate::compare::state::playback::Moment;
use crate::shared::clock::{calm, epoch_ms, next_frame, now};

/// Most characters of the answer that are shown as they come: the whole of it stands in section 1.
const SHOWN: usize = 400;
/// Least time between two pictures, ms: where the processor draws the page, one a frame costs the engine speed.
const PICTURE_MS: f64 = 33.0;
/// The same for visitors who want little motion.
const CALM_MS: f64 = 1_000.0;

/// The simulated side while the answer comes: simulated anew once the prompt's tokens are known.
#[derive(Default)]
struct Playback {
    size: Option<Size>,
    timeline: Option<Timeline>,
}

impl App {
    /// Answers the prompt, or the last one again if the box is empty, and plays the simulated request beside it.
    pub(crate) fn race(self) {
        let empty = self.chat.prompt.with_untracked(|prompt| prompt.trim().is_empty());
        if empty && self.chat.turns.with_untracked(|turns| !turns.is_empty()) {
            self.regenerate();
        } else {
            self.generate();
        }
        let Some(id) = self.chat.running.get_untracked() else { return };
        self.live.moment.set(Some(Moment::default()));
        self.live.racing.set(Some(id));
        leptos::task::spawn_local(self.play(id));
    }

    /// An answer that is not raced leaves nothing of the race before it.
    pub(crate) fn follow_race(self) {
        Effect::new(move |_| {
            let running = self.chat.running.get();
            if running.is_some() && running != self.live.racing.get_untracked() {
                self.live.give_up();
            }
        });
    }

    async fn play(self, id: u32) {
        let mut playback = Playback::default();
        let mut shown = f64::NEG_INFINITY;
        let pause = if calm() { CALM_MS } else { PICTURE_MS };
        while self.live.racing.get_untracked() == Some(id) {
            next_frame().await;
            let coming = self.chat.running.get_untracked() == Some(id);
            // A race out of sight takes no time from the engine.
            if coming && (now() - shown < pause || !seen()) {
                continue;
            }
            let Some(moment) = self.moment(coming, id, &mut playback) else { return self.live.give_up() };
            let over = moment.here.ended.is_some() && moment.cloud.ended.is_some();
            if over || now() - shown >= pause {
                shown = now();
                self.live.moment.set(Some(moment));
            }
            if over {
                self.live.racing.set(None);
                self.tell_winner();
            }
        }
    }

    /// Both sides now; `None` when the answer failed.
    fn moment(&self, coming: bool, id: u32, playback: &mut Playback) -> Option<Moment> {
        let chat = self.chat;
        let live = self.live;
        let (now, here, size) = chat.recording.with_untracked(|recording| {
            let now = epoch_ms() - recording.asked_ms;
            let most = chat.most_tokens().unwrap_or(1);
            (now, Frame::here(recording, now), Size::under_way(recording, most))
        });
        if !coming && here.ended.is_none() {
            return None;
        }
        let cloud = if coming {
            if playback.size != Some(size) {
                (playback.size, playback.timeline) = (Some(size), self.race.simulate(size));
            }
            playback.timeline.as_ref().map(|timeline| Frame { ended: None, ..Frame::of(timeline, now) })
        } else {
            // As long as the answer was, which is known now.
            self.race
                .cloud
                .with_untracked(|cloud| cloud.as_ref().ok().map(|(timeline, _)| Frame::of(timeline, now)))
        };
        let before =
            || live.moment.with_untracked(|moment| moment.as_ref().map(|moment| moment.text.clone()));
        let text = chat.text_of(id, SHOWN).or_else(before).unwrap_or_default();
        Some(Moment { now, here, cloud: cloud?, text })
    }

    fn tell_winner(&self) {
        let told = untrack(|| {
            let cloud =
                self.race.cloud.with(|cloud| cloud.as_ref().ok().map(|(timeline, _)| timeline.clone()))?;
            Some(verdict(&self.race.here.get()?, &cloud).1)
        });
        told.into_iter().for_each(|text| self.announce(text));
    }
}

/// Whether the race stands in the window.
fn seen() -> bool {
    let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
    document().get_element_by_id("compare").is_some_and(|section| {
        let place = section.get_bounding_client_rect();
        place.top() < height && place.bottom() > 0.0
    })
}
