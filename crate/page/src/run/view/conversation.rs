//! Prompts and answers. What a model wrote is put into the page as text, never as markup.

use leptos::html::Div;
use leptos::prelude::*;

use crate::app::App;
use crate::run::model::thinking::split;
use crate::run::state::chat::Turn;
use crate::shared::parts::{icon, opened as opened_or_closed};
use crate::shared::text;

/// The conversation, with the notice that belongs beside every answer.
pub(crate) fn conversation(app: App) -> impl IntoView {
    let empty = move || app.chat.turns.with(Vec::is_empty);
    let place = NodeRef::<Div>::new();
    follow(app, place);
    view! {
        <div class="reply-head">
            <h3 id="answer-title">"The answer"</h3>
            <p class="caution">{icon("warn")} "Small models make mistakes. Check before you use it."</p>
        </div>
        <div class="conversation" aria-labelledby="answer-title" role="group" tabindex="0" node_ref=place>
            {move || empty().then(|| view! {
                <p class="placeholder">"The answer appears here, token by token."</p>
            })}
            <For each=move || app.chat.turns.get() key=|turn| turn.id let:turn>
                {turn_view(app, turn)}
            </For>
        </div>
        {reading(app)}
    }
}

/// Keeps the end in view while an answer comes, unless the visitor has scrolled away from it.
fn follow(app: App, place: NodeRef<Div>) {
    const NEAR_PX: i32 = 80;
    Effect::new(move |_| {
        app.chat.turns.track();
        app.chat.recording.track();
        let Some(element) = place.get() else { return };
        // Asking for heights lays the page out; without an answer there is nothing to follow.
        if app.chat.turns.with_untracked(Vec::is_empty) {
            return;
        }
        let below = element.scroll_height() - element.scroll_top() - element.client_height();
        if below <= NEAR_PX {
            request_animation_frame(move || element.set_scroll_top(element.scroll_height()));
        }
    });
}

fn turn_view(app: App, turn: Turn) -> impl IntoView {
    let Turn { id, prompt, answer, ending, opens_thought, system_note, moved } = turn;
    let chat = app.chat;
    let last = Memo::new(move |_| chat.turns.with(|turns| turns.last().is_some_and(|turn| turn.id == id)));
    let coming = {
        let ending = ending.clone();
        move || ending.with(Option::is_none)
    };
    let (shown, rest) = text::excerpt(&prompt);
    let shown = shown.to_owned();
    // In the three single tasks the text stands beside the answer already.
    let asked = chat.task.with_untracked(|_| chat.task().chat).then(|| view! {
        <div class="asked">
            <p class="speaker">"You"</p>
            <p class="said" data-testid="asked">{shown}{rest.map(|rest| view! { <span class="muted">{rest}</span> })}</p>
        </div>
    });
    view! {
        <div class="turn">
            {asked}
            <div class="answered">
                <p class="speaker">"Model"</p>
                {system_note.map(|note| view! { <p class="muted small" data-testid="system-folded">{note}</p> })}
                {thought(answer.clone(), opens_thought)}
                <p
                    class="said"
                    class:coming=coming
                    data-testid=move || if last.get() { "answer" } else { "earlier-answer" }
                >{move || answer.with(|answer| split(answer, opens_thought).said.to_owned())}</p>
                {move || moved.get().map(|told| view! {
                    <p class="notice small" data-testid="moved">{icon("again")} <span>{told}</span></p>
                })}
                {move || ending.get().map(|ending| view! {
                    <p class="ending" data-testid=move || if last.get() { "finish-reason" } else { "earlier-finish-reason" } data-value=ending.key>
                        <strong>{ending.short}</strong> " " <span>{ending.long}</span>
                    </p>
                })}
            </div>
        </div>
    }
}

/// What the model thought before it spoke, folded away.
fn thought(answer: ArcRwSignal<String>, opened: bool) -> impl IntoView {
    let is_there = {
        let answer = answer.clone();
        Memo::new(move |_| answer.with(|answer| !split(answer, opened).thought.is_empty()))
    };
    let open = RwSignal::new(false);
    move || {
        let [label, inside] = [answer.clone(), answer.clone()];
        is_there.get().then(|| {
            view! {
                <details data-testid="thought" on:toggle=opened_or_closed(open)>
                    <summary>{move || match label.with(|answer| split(answer, opened).thinking) {
                        true => "Thinking…",
                        false => "What the model thought first",
                    }}</summary>
                    <p class="said muted small">{move || {
                        open.get().then(|| inside.with(|answer| split(answer, opened).thought.to_owned()))
                    }}</p>
                </details>
            }
        })
    }
}

/// How far a long prompt is read; room is kept for it, so that nothing jumps.
fn reading(app: App) -> impl IntoView {
    let reading = move || {
        let waiting = app.chat.running.with(Option::is_some)
            && app.chat.recording.with(|recording| recording.arrivals.is_empty());
        if !waiting {
            return None;
        }
        let prefill = app.chat.recording.with(|recording| recording.prefill);
        Some(prefill.map_or_else(
            || "Waiting for the engine…".to_owned(),
            |p| format!("Reading the prompt: {} of {} tokens", p.done, p.total),
        ))
    };
    view! { <p class="reading num" data-testid="reading">{reading}</p> }
}
