//! The ready-made tasks: prompts at which a model of this size is presentable, all of them editable.
//!
//! A model of 135 million weights follows examples far better than instructions, so three tasks show it a few
//! worked ones first, as earlier turns. The page shows them too: they are part of what was asked.

use protocol::{Message, Role};

use crate::shared::settings::Defaults;

/// One ready-made task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    /// Name in code, icons and `data-testid`.
    pub key: &'static str,
    /// Name on its button.
    pub title: &'static str,
    /// Its purpose, in one sentence.
    pub hint: &'static str,
    /// Instructions the model gets first; empty for the model's own.
    pub system: &'static str,
    /// Worked examples: (what a visitor might write, the right answer).
    pub examples: &'static [(&'static str, &'static str)],
    /// The text in the prompt box to begin with.
    pub prompt: &'static str,
    /// Texts that end the answer.
    pub stop: &'static [&'static str],
    /// Whether turns follow one another; otherwise every prompt stands alone.
    pub chat: bool,
    /// Settings that suit it.
    pub defaults: Defaults,
}

/// The likeliest token every time: for tasks that have one right answer.
const EXACT: Defaults =
    Defaults { temperature: 0.0, top_k: 0, top_p: 1.0, repetition_penalty: 1.0, max_tokens: 120 };

const CLASSIFY: Task = Task {
    key: "classify",
    title: "Classify a ticket",
    hint: "Does a support ticket go to the billing team or to the technical team?",
    system: "Does the ticket go to the billing team or to the technical team? Answer with one word.",
    examples: &[
        ("The app closes when I open a photo.", "technical"),
        ("The invoice shows the wrong amount.", "billing"),
        ("Why was my card charged again?", "billing"),
        ("The search page shows an error message.", "technical"),
    ],
    prompt: "I was charged twice for my subscription this month. Please refund one payment.",
    stop: &["\n"],
    chat: false,
    defaults: Defaults { max_tokens: 12, ..EXACT },
};

const EXTRACT: Task = Task {
    key: "extract",
    title: "Extract fields",
    hint: "Name, order number, date and phone out of a message.",
    system: "Copy the name, order, date and phone from the message.",
    examples: &[
        (
            "Hi, I am John Smith. Order 11902 came on 7 June without the cable. Call 555-0188.",
            "Name: John Smith\nOrder: 11902\nDate: 7 June\nPhone: 555-0188",
        ),
        (
            "This is Ann Lee, phone 555-0121. On 12 March I got order 30077, but the lid is broken.",
            "Name: Ann Lee\nOrder: 30077\nDate: 12 March\nPhone: 555-0121",
        ),
    ],
    prompt: "Hello, this is Maria Lopez. My order 48213 arrived damaged on 3 May. Please call me at 555-0142.",
    stop: &["\n\n"],
    chat: false,
    defaults: Defaults { max_tokens: 80, ..EXACT },
};

const SUMMARISE: Task = Task {
    key: "summarise",
    title: "Summarise a note",
    hint: "A meeting note in a sentence or two.",
    system: "Summarise the note in one sentence.",
    examples: &[
        (
            "The design group met on Friday about the new website. The menu tested badly with older users. \
             Anna will draw a simpler one. Launch stays on 2 May.",
            "The website launch stays on 2 May, and Anna will draw a simpler menu because the old one tested \
             badly.",
        ),
        (
            "Sales called about the Hamburg office. The lease ends in June and rent goes up by ten percent. \
             Two people can work from home. The team will look for a smaller office.",
            "The team will look for a smaller Hamburg office because the lease ends in June and the rent goes \
             up.",
        ),
    ],
    prompt: "The team met on Monday to plan the spring release. Search is two weeks late because the index has \
             to be rebuilt. Payments is finished and tested. We agreed to move the release from 4 April to 18 \
             April and to tell customers this week.",
    stop: &["\n\n"],
    chat: false,
    defaults: EXACT,
};

const CHAT: Task = Task {
    key: "chat",
    title: "Chat",
    hint: "A conversation; what was read in earlier turns is not read again.",
    system: "",
    examples: &[],
    prompt: "Give me three short tips for writing a clear email.",
    stop: &[],
    chat: true,
    defaults: Defaults { temperature: 0.2, top_k: 40, top_p: 0.9, repetition_penalty: 1.1, max_tokens: 250 },
};

/// The tasks, in the order of their buttons.
pub const TASKS: [Task; 4] = [CLASSIFY, EXTRACT, SUMMARISE, CHAT];

impl Task {
    /// The whole conversation to send: instructions, worked examples, the turns so far, the new prompt.
    pub fn messages(&self, turns: &[(String, String)], prompt: &str) -> Vec<Message> {
        let say = |role, content: &str| Message { role, content: content.to_owned() };
        let system = (!self.system.is_empty()).then(|| say(Role::System, self.system));
        let examples = self.examples.iter().copied();
        let turns = turns.iter().map(|(asked, answered)| (asked.as_str(), answered.as_str()));
        system
            .into_iter()
            .chain(
                examples
                    .chain(turns)
                    .flat_map(|(asked, answered)| [say(Role::User, asked), say(Role::Assistant, answered)]),
            )
            .chain([say(Role::User, prompt)])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_starts_with_valid_settings() {
        for task in TASKS {
            assert!(crate::shared::settings::parse(&task.defaults.texts()).is_ok(), "{}", task.key);
            assert!(!task.prompt.is_empty() && !task.hint.is_empty());
        }
    }

    #[test]
    fn a_conversation_alternates_and_ends_with_the_prompt() {
        let messages = CLASSIFY.messages(&[], "Hello");
        assert_eq!(messages.len(), 1 + 2 * CLASSIFY.examples.len() + 1);
        assert_eq!(messages[0].role, Role::System);
        assert_eq!(messages.last().map(|m| (m.role, m.content.as_str())), Some((Role::User, "Hello")));
        let chat = CHAT.messages(&[("a".into(), "b".into())], "c");
        let roles: Vec<_> = chat.iter().map(|m| m.role).collect();
        assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
    }
}
