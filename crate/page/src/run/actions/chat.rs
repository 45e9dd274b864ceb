//! Asking for an answer, and what comes of it.

use leptos::prelude::*;
use protocol::{ChatFormat, FailureKind, Finished, Generate, Moved, Operation, Prefill, ToWorker, Token};

use crate::app::{App, Problem};
use crate::run::model::labels::Ending;
use crate::run::model::recording::Recording;
use crate::run::model::tasks::TASKS;
use crate::run::state::chat::Turn;
use crate::shared::clock::epoch_ms;
use crate::shared::settings::{self, SEED};
use crate::shared::{format, text};

/// An answer that could not be given to its end.
const FAILED: Ending = Ending { key: "failed", short: "Failed", long: "" };

impl App {
    /// Chooses a task: its example, its settings, a new conversation. The seed and the draft left stay.
    pub(crate) fn choose_task(&self, index: usize) {
        let chat = &self.chat;
        let before = chat.task.get_untracked();
        if chat.running_now() || index == before {
            return;
        }
        let left = chat.prompt.get_untracked();
        chat.drafts.update_value(|drafts| drafts[before] = left);
        chat.task.set(index);
        chat.prompt.set(chat.drafts.with_value(|drafts| drafts[index].clone()));
        chat.texts.update(|texts| {
            let seed = std::mem::take(&mut texts[SEED]);
            *texts = TASKS[index].defaults.texts();
            texts[SEED] = seed;
        });
        self.new_conversation();
    }

    /// Forgets the turns so far.
    pub(crate) fn new_conversation(&self) {
        if !self.chat.running_now() {
            self.chat.turns.set(Vec::new());
            self.clear_chat_problem();
        }
    }

    /// Answers what stands in the prompt box.
    pub(crate) fn generate(&self) {
        let prompt = self.chat.prompt.get_untracked();
        if untrack(|| self.can_generate()) && self.ask(prompt) && untrack(|| self.chat.task()).chat {
            self.chat.prompt.set(String::new());
        }
    }

    /// Answers the last prompt again, with the settings that stand in the form now.
    pub(crate) fn regenerate(&self) {
        if !untrack(|| self.can_generate()) {
            return;
        }
        let last = self.chat.turns.try_update(Vec::pop).flatten();
        if let Some(last) = last
            && !self.ask(last.prompt.clone())
        {
            self.chat.turns.update(|turns| turns.push(last));
        }
    }

    /// Ends the running answer.
    pub(crate) fn stop(&self) {
        if self.chat.running_now() {
            self.chat.stopping.set(true);
            self.bridge.send(&ToWorker::Abort);
        }
    }

    /// Sends a prompt; `false` when the settings do not allow it (the form says why).
    fn ask(&self, prompt: String) -> bool {
        let chat = &self.chat;
        self.problem.set(None);
        let Ok((sampling, max_tokens)) = chat.texts.with_untracked(settings::parse) else {
            self.fail(
                Operation::Generate,
                "A setting below is outside its range; the settings say which one.",
            );
            return false;
        };
        let task = untrack(|| chat.task());
        if !task.chat {
            chat.turns.set(Vec::new());
        }
        // A turn that was stopped before its first word has nothing to go on from.
        let earlier: Vec<_> = chat.turns.with_untracked(|turns| {
            let said = turns.iter().map(|turn| (turn.prompt.clone(), turn.answer.get_untracked()));
            said.filter(|(_, answer)| !answer.is_empty()).collect()
        });
        let messages = task.messages(&earlier, &prompt);
        let format =
            self.model.loaded.with_untracked(|loaded| loaded.as_ref().map(|loaded| loaded.chat.clone()));
        let format = format.unwrap_or_else(ChatFormat::plain);
        let thinking = format.thinking_switch.then(|| chat.thinking.get_untracked());
        let opens_thought = format.opens_thought && thinking != Some(false);
        let system_note = format.system_note(&messages);
        let id = chat.next_id.get_value();
        chat.next_id.set_value(id.wrapping_add(1));
        let asked_ms = epoch_ms();
        chat.recording
            .set(Recording { hidden: document().hidden(), ..Recording::new(asked_ms, bytes(&messages)) });
        let answer = ArcRwSignal::new(String::new());
        let ending = ArcRwSignal::new(None);
        let moved = ArcRwSignal::new(None);
        chat.turns.update(|turns| {
            turns.push(Turn { id, prompt, answer, ending, opens_thought, system_note, moved });
        });
        chat.running.set(Some(id));
        chat.stopping.set(false);
        self.announce("Generating an answer.");
        let stop = task.stop.iter().map(|&text| text.to_owned()).collect();
        let request = Generate { id, messages, sampling, thinking, max_tokens, stop, asked_ms };
        self.bridge.send(&ToWorker::Generate(request));
        true
    }

    pub(crate) fn on_prefill(&self, prefill: Prefill) {
        if self.chat.running.get_untracked() == Some(prefill.id) {
            self.chat.recording.update(|recording| {
                recording.handed_ms.get_or_insert(prefill.at_ms - recording.asked_ms);
                recording.prefill = Some(prefill);
            });
        }
    }

    pub(crate) fn on_token(&self, token: &Token) {
        let Some(turn) = self.chat.turn(token.id) else { return };
        self.chat.recording.update(|recording| {
            recording.token(token);
            recording.hidden |= document().hidden();
        });
        if !token.text.is_empty() {
            turn.answer.update(|answer| answer.push_str(&token.text));
        }
    }

    /// The GPU failed and the processor goes on, in the middle of an answer or between two.
    pub(crate) fn on_moved(&self, moved: Moved) {
        let told = text::sentence(&moved.backend.reason);
        if let Some(turn) = moved.id.and_then(|id| self.chat.turn(id)) {
            turn.moved.set(Some(told));
            self.chat.recording.update(|recording| recording.moved = true);
        }
        self.announce("The GPU failed; the processor goes on with the same conversation.");
        self.model.report.set(Some(moved.backend));
        self.model.loaded.update(|loaded| {
            if let Some(loaded) = loaded {
                loaded.gpu_memory_bytes = 0;
            }
        });
    }

    pub(crate) fn on_finished(&self, finished: Finished) {
        let ending = Ending::from(finished.reason);
        self.note_speed(&finished);
        if let Some(turn) = self.chat.turn(finished.id) {
            turn.answer.update(|answer| answer.push_str(&finished.text));
            turn.ending.set(Some(ending));
        }
        let tokens = format::counted(finished.tokens, "token", "tokens");
        self.announce(format!("Answer complete, {tokens}. {}.", ending.short));
        self.chat.recording.update(|recording| recording.finished = Some(finished));
        let recording = self.chat.recording.get_untracked();
        if !recording.arrivals.is_empty() {
            self.chat.measured.set(Some(recording));
        }
        self.chat.running.set(None);
        self.chat.stopping.set(false);
    }

    /// An answer could not be given, or not to its end. A prompt that was refused goes back into the box.
    pub(crate) fn on_generate_failed(&self, id: Option<u32>, kind: FailureKind, message: String) {
        let chat = &self.chat;
        let Some(id) = id.or(chat.running.get_untracked()) else {
            return self.fail(Operation::Generate, message);
        };
        if let Some(turn) = chat.turn(id) {
            let nothing_said = turn.answer.with_untracked(String::is_empty);
            turn.ending.set(Some(FAILED));
            if nothing_said && kind != FailureKind::Internal {
                chat.turns.update(|turns| turns.retain(|turn| turn.id != id));
                if chat.prompt.with_untracked(String::is_empty) {
                    chat.prompt.set(turn.prompt);
                }
            }
        }
        if chat.running.get_untracked() == Some(id) {
            chat.running.set(None);
            chat.stopping.set(false);
        }
        self.fail(Operation::Generate, message);
    }

    fn clear_chat_problem(&self) {
        let generating = |p: &Problem| p.operation == Operation::Generate;
        if self.problem.with_untracked(|p| p.as_ref().is_some_and(generating)) {
            self.problem.set(None);
        }
    }
}

/// Bytes of everything that is sent to be read.
fn bytes(messages: &[protocol::Message]) -> usize {
    messages.iter().map(|message| message.content.len()).sum()
}
