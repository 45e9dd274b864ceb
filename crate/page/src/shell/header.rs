//! The head of the page: name, promise, places, colours.

use leptos::prelude::*;

use crate::shared::parts::{icon, local_storage};

/// Key of the remembered colour theme; `theme.js` reads it before the first paint.
const KEY: &str = "nibble.theme";

/// A colour theme: the system's, or one the visitor chose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    fn remembered() -> Self {
        let text = local_storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
        match text.as_deref() {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    fn next(self) -> Self {
        match self {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }

    /// Shows and remembers it. A browser that refuses storage still shows it.
    fn apply(self) {
        let root = document().document_element();
        match self {
            Theme::System => {
                root.map(|root| root.remove_attribute("data-theme"));
                local_storage().map(|storage| storage.remove_item(KEY));
            }
            Theme::Light | Theme::Dark => {
                root.map(|root| root.set_attribute("data-theme", self.word()));
                local_storage().map(|storage| storage.set_item(KEY, self.word()));
            }
        }
    }
}

/// The head of the page.
pub(crate) fn header() -> impl IntoView {
    let theme = RwSignal::new(Theme::remembered());
    let turn = move |_| {
        theme.update(|theme| *theme = theme.next());
        theme.get_untracked().apply();
    };
    view! {
        <header class="masthead">
            <div class="brand">
                <img src="icons/nibble.svg" width="36" height="36" alt="" />
                <div>
                    <h1>"Nibble"</h1>
                    <p>"A 4-bit language model in your tab. What you type stays on this machine."</p>
                </div>
            </div>
            <nav class="places" aria-label="Sections">
                <a href="#run">"Run"</a>
                <a href="#compare">"Compare"</a>
                <a href="#latency">"Latency"</a>
                <a href="#cost">"Cost"</a>
                <a href="#decide">"Decide"</a>
                <a href="#notes">"Notes"</a>
                <button
                    type="button"
                    class="quiet"
                    data-testid="theme"
                    data-value=move || theme.get().word()
                    aria-label=move || format!("Colours: {}. Change to {}.", theme.get().word(), theme.get().next().word())
                    on:click=turn
                >
                    {icon("theme")}
                    <span class="theme-word">{move || theme.get().word()}</span>
                </button>
            </nav>
        </header>
    }
}
