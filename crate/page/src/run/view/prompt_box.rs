//! Tasks, prompt, buttons, and the settings behind a disclosure.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::app::App;
use crate::run::model::tasks::{TASKS, Task};
use crate::run::view::settings_form::settings_form;
use crate::shared::parts::icon;

/// Everything a visitor gives the model.
pub(crate) fn prompt_box(app: App) -> impl IntoView {
    let chat = app.chat;
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            app.generate();
        }
    };
    view! {
        <h3 id="tasks-title">"A task"</h3>
        <div class="tasks" role="group" aria-labelledby="tasks-title">
            {TASKS.iter().enumerate().map(|(index, task)| task_button(app, index, task)).collect_view()}
        </div>
        <p class="muted small">{move || chat.task().hint}</p>
        <label class="prompt-label" for="prompt">
            {move || if chat.task().chat { "Your message" } else { "Your text" }}
        </label>
        <textarea
            id="prompt"
            rows="6"
            data-testid="prompt"
            aria-describedby="prompt-keys"
            prop:value=move || chat.prompt.get()
            on:input:target=move |event| chat.prompt.set(event.target().value())
            on:keydown=keys
        ></textarea>
        {buttons(app)}
        <p id="prompt-keys" class="keys muted small">
            <kbd>"Ctrl"</kbd> " or " <kbd>"⌘"</kbd> " + " <kbd>"Enter"</kbd> " generates, " <kbd>"Esc"</kbd> " stops."
        </p>
        {move || shown_first(chat.task())}
        {settings_form(app)}
    }
}

fn task_button(app: App, index: usize, task: &'static Task) -> impl IntoView {
    let chosen = move || app.chat.task.get() == index;
    view! {
        <button
            type="button"
            class="task"
            data-testid=format!("task-{}", task.key)
            aria-pressed=move || chosen().to_string()
            disabled=move || app.busy()
            on:click=move |_| app.choose_task(index)
        >
            {icon(task.key)}
            <span>{task.title}</span>
        </button>
    }
}

/// Generate or Stop (one place, so that a second press of the same spot stops), again, anew.
fn buttons(app: App) -> impl IntoView {
    let running = move || app.chat.running.with(Option::is_some);
    view! {
        <div class="buttons">
            <button
                type="button"
                class=move || if app.model.loaded.with(Option::is_some) { "primary" } else { "" }
                class:hidden=running
                data-testid="generate"
                disabled=move || !app.can_generate()
                on:click=move |_| app.generate()
            >
                {icon("play")} "Generate"
            </button>
            <button
                type="button"
                class="primary"
                class:hidden=move || !running()
                data-testid="stop"
                disabled=move || !running() || app.chat.stopping.get()
                on:click=move |_| app.stop()
            >
                {icon("stop")} "Stop"
            </button>
            {again_and_anew(app)}
        </div>
        {thinking_switch(app)}
        {move || app.model.loaded.with(Option::is_none).then(|| view! {
            <p class="small muted" data-testid="needs-model">"Load the model first; then Generate answers this."</p>
        })}
    }
}

/// Whether the model thinks first, where its template lets one choose.
fn thinking_switch(app: App) -> impl IntoView {
    let offered = Memo::new(move |_| {
        app.model.loaded.with(|loaded| loaded.as_ref().is_some_and(|loaded| loaded.chat.thinking_switch))
    });
    move || {
        offered.get().then(|| {
            view! {
                <label class="inline-field">
                    <input
                        type="checkbox"
                        data-testid="thinking"
                        disabled=move || app.busy()
                        prop:checked=move || app.chat.thinking.get()
                        on:change:target=move |event| app.chat.thinking.set(event.target().checked())
                    />
                    <span>"Think before answering"</span>
                </label>
            }
        })
    }
}

/// The two that need a conversation.
fn again_and_anew(app: App) -> impl IntoView {
    let running = move || app.chat.running.with(Option::is_some);
    let turns = move || app.chat.turns.with(|turns| !turns.is_empty());
    view! {
        <button
            type="button"
            data-testid="regenerate"
            title="The same settings and seed give the same text; change the seed for another one."
            disabled=move || !(app.can_generate() && turns())
            on:click=move |_| app.regenerate()
        >
            {icon("again")} "Regenerate"
        </button>
        <button
            type="button"
            data-testid="new-chat"
            disabled=move || running() || !turns()
            on:click=move |_| app.new_conversation()
        >
            {icon("new")} "New conversation"
        </button>
    }
}

/// Worked examples before the visitor's text: part of the request, so part of the page.
fn shown_first(task: &'static Task) -> Option<impl IntoView> {
    (!task.system.is_empty()).then(|| {
        view! {
            <details data-testid="shown-first">
                <summary>{format!("What the model is shown first: an instruction and {} worked examples", task.examples.len())}</summary>
                <p class="quoted">{task.system}</p>
                <dl class="examples">
                    {task.examples.iter().map(|(asked, answered)| view! {
                        <div><dt>{*asked}</dt><dd>{*answered}</dd></div>
                    }).collect_view()}
                </dl>
            </details>
        }
    })
}
