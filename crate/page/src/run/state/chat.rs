//! The conversation: prompts, answers, and how the next one is asked for.

use leptos::prelude::*;

use crate::run::model::labels::Ending;
use crate::run::model::recording::{Figures, Recording};
use crate::run::model::tasks::{TASKS, Task};
use crate::shared::settings::{self, Texts};

/// One prompt with its answer.
#[derive(Clone)]
pub(crate) struct Turn {
    /// Number of the answer; unique on this page.
    pub(crate) id: u32,
    /// The visitor's text.
    pub(crate) prompt: String,
    /// The answer so far, plain text.
    pub(crate) answer: ArcRwSignal<String>,
    /// How it ended; `None` while it comes.
    pub(crate) ending: ArcRwSignal<Option<Ending>>,
    /// Whether the prompt itself opens the model's thought.
    pub(crate) opens_thought: bool,
    /// Where the instructions stand, if the model takes no system prompt.
    pub(crate) system_note: Option<&'static str>,
    /// Why another backend went on in the middle, where one did.
    pub(crate) moved: ArcRwSignal<Option<String>>,
}

/// The conversation's part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Chat {
    /// Position in [`TASKS`].
    pub(crate) task: RwSignal<usize>,
    /// Text of the prompt box.
    pub(crate) prompt: RwSignal<String>,
    /// Text of the box for each task when another one was chosen.
    pub(in crate::run) drafts: StoredValue<Vec<String>>,
    /// The sampling form.
    pub(crate) texts: RwSignal<Texts>,
    /// Whether the model is to think first, where that can be switched.
    pub(crate) thinking: RwSignal<bool>,
    /// The conversation, oldest first.
    pub(crate) turns: RwSignal<Vec<Turn>>,
    /// The answer that is being given.
    pub(crate) running: RwSignal<Option<u32>>,
    /// Whether the visitor has asked to stop it.
    pub(crate) stopping: RwSignal<bool>,
    /// Samples of the present or last answer.
    pub(crate) recording: RwSignal<Recording>,
    /// The figures made of them.
    pub(crate) figures: Memo<Figures>,
    /// Samples of the last answer that ended and had a token: what the comparison is about.
    pub(crate) measured: RwSignal<Option<Recording>>,
    pub(in crate::run) next_id: StoredValue<u32>,
}

impl Chat {
    pub(crate) fn new() -> Self {
        let first = &TASKS[0];
        let recording = RwSignal::new(Recording::default());
        Self {
            task: RwSignal::new(0),
            prompt: RwSignal::new(first.prompt.to_owned()),
            drafts: StoredValue::new(TASKS.iter().map(|task| task.prompt.to_owned()).collect()),
            texts: RwSignal::new(first.defaults.texts()),
            thinking: RwSignal::new(true),
            turns: RwSignal::new(Vec::new()),
            running: RwSignal::new(None),
            stopping: RwSignal::new(false),
            recording,
            figures: Memo::new(move |_| recording.with(Recording::figures)),
            measured: RwSignal::new(None),
            next_id: StoredValue::new(1),
        }
    }

    /// The chosen task.
    pub(crate) fn task(&self) -> &'static Task {
        &TASKS[self.task.get().min(TASKS.len() - 1)]
    }

    /// Most tokens of the next answer, if the form says so.
    pub(crate) fn most_tokens(&self) -> Option<u32> {
        self.texts.with_untracked(settings::parse).ok().map(|(_, most)| most)
    }

    pub(crate) fn running_now(&self) -> bool {
        self.running.with_untracked(Option::is_some)
    }

    /// The last `most` characters of an answer.
    pub(crate) fn text_of(&self, id: u32, most: usize) -> Option<String> {
        let turn = self.turn(id)?;
        turn.answer.with_untracked(|text| {
            let from = text.char_indices().rev().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
            Some(text[from..].to_owned())
        })
    }

    pub(crate) fn turn(&self, id: u32) -> Option<Turn> {
        self.turns.with_untracked(|turns| turns.iter().find(|turn| turn.id == id).cloned())
    }
}
