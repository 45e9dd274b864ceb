//! The race as it runs: two streams, token by token, and under each what it waits for.

use leptos::prelude::*;

use crate::app::App;
use crate::compare::model::playback::{Frame, full_width};
use crate::compare::model::timeline::Timeline;
use crate::compare::model::verdict::verdict;
use crate::compare::state::playback::Moment;
use crate::compare::view::stages::waterfall;
use crate::shared::format;
use crate::shared::parts::{icon, raw};

/// Most marks of the simulated stream; more would only push the others out of sight.
const MARKS: usize = 240;

/// Which prompt the race is about, and the button that starts it or ends the answer.
pub(crate) fn button(app: App) -> impl IntoView {
    let on = move || app.live.is_on();
    let ready = move || app.can_generate() && !on() && app.race.cloud.with(Result::is_ok);
    let hint = move || match (app.model.loaded.with(Option::is_some), on(), app.busy()) {
        (false, ..) => "Load the model above first; then a race answers the prompt in section 1.",
        (_, true, _) => "Both clocks started with the press of the button.",
        (_, _, true) => "The engine is busy.",
        _ => "Answers the prompt in section 1 here, beside a simulated request of the same size.",
    };
    view! {
        <div class="buttons race-start">
            <button type="button" class="primary" class:hidden=on data-testid="race" disabled=move || !ready() on:click=move |_| app.race()>
                {icon("play")} "Race"
            </button>
            <button
                type="button"
                class="primary"
                class:hidden=move || !on()
                data-testid="race-stop"
                disabled=move || app.chat.running.with(Option::is_none) || app.chat.stopping.get()
                on:click=move |_| app.stop()
            >
                {icon("stop")} "Stop the answer"
            </button>
            <span class="small muted">{hint}</span>
        </div>
    }
}

/// The request that both sides handle, or handled.
pub(crate) fn size(app: App) -> impl IntoView {
    let told = move || {
        if app.live.is_on() {
            "The length of the answer is not known yet: the simulated one goes on, and is cut to the same length at the end."
                .to_owned()
        } else {
            app.race.size.get().words()
        }
    };
    view! { <p class="muted" data-testid="race-size">{told}</p> }
}

/// Who won, once there is something to compare.
pub(crate) fn outcome(app: App) -> impl IntoView {
    let race = app.race;
    let told = Memo::new(move |_| {
        if app.live.is_on() {
            return (None, "The race is on.".to_owned());
        }
        race.cloud.with(|cloud| match (race.here.get(), cloud) {
            (_, Err(problem)) => (None, format!("There is no simulation. {problem}")),
            (None, _) => {
                let ask =
                    "Load the model and start a race: its measured times appear beside the simulated ones.";
                (None, ask.to_owned())
            }
            (Some(here), Ok((cloud, _))) => {
                let (winner, text) = verdict(&here, cloud);
                (Some(winner.key()), text)
            }
        })
    });
    view! {
        <p class="verdict" data-testid="race-verdict" data-value=move || told.get().0>{move || told.get().1}</p>
    }
}

/// A side of the moment while a race is on, otherwise of what it came to.
#[derive(Clone, Copy)]
struct Side {
    kind: &'static str,
    testid: &'static str,
    now: fn(&Moment) -> &Frame,
    whole: fn(App) -> Option<Timeline>,
}

impl Side {
    const HERE: Self = Self {
        kind: "measured",
        testid: "live-here",
        now: |moment| &moment.here,
        whole: |app| app.race.here.get(),
    };
    const CLOUD: Self = Self {
        kind: "simulated",
        testid: "live-cloud",
        now: |moment| &moment.cloud,
        whole: |app| app.race.cloud.with(|cloud| cloud.as_ref().ok().map(|(timeline, _)| timeline.clone())),
    };

    fn frame(&self, app: App) -> Option<Frame> {
        if app.live.is_on() {
            app.live.moment.with(|moment| moment.as_ref().map(|moment| (self.now)(moment).clone()))
        } else {
            (self.whole)(app).map(|timeline| Frame::of(&timeline, f64::INFINITY))
        }
    }
}

/// This device: the answer as it comes, and its stages.
pub(crate) fn here_side(app: App) -> impl IntoView {
    let text = move || match app.live.moment.with(|moment| moment.as_ref().map(|moment| moment.text.clone()))
    {
        Some(text) => text,
        None => "In a race the answer comes in here.".to_owned(),
    };
    view! {
        {count(app, Side::HERE)}
        <div class="stream"><p class="stream-text">{text}</p></div>
        {stages(app, Side::HERE)}
    }
}

/// The simulated cloud: a mark a token, and its stages.
pub(crate) fn cloud_side(app: App) -> impl IntoView {
    let marks = move || {
        let raced = app.live.moment.with(Option::is_some);
        let tokens = Side::CLOUD.frame(app).filter(|_| raced).map_or(0, |frame| frame.tokens);
        "▪".repeat(tokens.min(MARKS))
    };
    view! {
        {count(app, Side::CLOUD)}
        <div class="stream"><p class="stream-marks" aria-hidden="true">{marks}</p></div>
        <p class="muted small">"A mark stands for a token: the simulation has times, not words."</p>
        {stages(app, Side::CLOUD)}
        {move || (!app.race.is_whole()).then(|| view! {
            <p class="muted small">"Queue is what the service needs whatever is asked, prefill what grows with the prompt: published times do not part them further."</p>
        })}
    }
}

/// Tokens so far, and when the first and the last came.
fn count(app: App, side: Side) -> impl IntoView {
    let frame = Memo::new(move |_| side.frame(app).unwrap_or_default());
    let tokens = move || Some(frame.get().tokens as f64).filter(|tokens| *tokens > 0.0);
    let told = move || {
        let Frame { tokens, ttft, ended, .. } = frame.get();
        let count = (tokens > 0).then(|| format::counted(tokens as u32, "token", "tokens"));
        let times = [("first after", ttft), ("last after", ended)];
        let times = times.into_iter().filter_map(|(word, ms)| Some(format!("{word} {}", format::ms(ms?))));
        count.into_iter().chain(times).collect::<Vec<_>>().join(", ")
    };
    view! {
        <p
            class="stream-count num"
            data-testid=side.testid
            data-value=move || raw(tokens())
            data-first=move || raw(frame.get().ttft)
            data-ended=move || raw(frame.get().ended)
        >{told}</p>
    }
}

/// Its waterfall.
fn stages(app: App, side: Side) -> impl IntoView {
    move || {
        let on = app.live.is_on();
        let now = app.live.moment.with(|moment| moment.as_ref().map_or(0.0, |moment| moment.now));
        let scale = if on { full_width(now) } else { scale(app) };
        match side.frame(app) {
            Some(frame) => waterfall(&frame, scale, side.kind).into_any(),
            None => view! { <p class="placeholder">"No answer measured yet."</p> }.into_any(),
        }
    }
}

/// One scale for both timelines, so that the eye may compare them.
fn scale(app: App) -> f64 {
    let timelines = [Side::HERE, Side::CLOUD].into_iter().filter_map(|side| (side.whole)(app));
    timelines.fold(0.0, |most, timeline| timeline.end.max(most))
}
