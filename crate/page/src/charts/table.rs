//! The table that says the same as a drawing, behind a disclosure, and its copying.

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::charts::drawings::Table;
use crate::shared::parts::opened;

/// The disclosure. `testid`: the drawing's; the disclosure's own ends in `-table`.
pub(crate) fn table_twin(
    testid: &'static str,
    title: &'static str,
    table: Memo<Option<Table>>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        <details class="twin" data-testid=format!("{testid}-table") on:toggle=opened(open)>
            <summary>"The same as a table"</summary>
            {copying(testid, table)}
            {move || open.get().then(|| table.get().map(|rows| grid(rows, title)))}
        </details>
    }
}

fn copying(testid: &'static str, table: Memo<Option<Table>>) -> impl IntoView {
    let told = RwSignal::new("");
    let copy = move |text: fn(&Table) -> String| {
        let Some(text) = table.with_untracked(|table| table.as_ref().map(text)) else { return };
        leptos::task::spawn_local(async move {
            told.set("");
            told.set(if to_clipboard(&text).await.is_some() {
                "Copied."
            } else {
                "The browser did not allow copying. Select the table and copy it by hand."
            });
        });
    };
    view! {
        <div class="twin-copy">
            <button type="button" data-testid=format!("{testid}-csv") on:click=move |_| copy(Table::csv)>
                "Copy as CSV"
            </button>
            <button type="button" data-testid=format!("{testid}-tsv") on:click=move |_| copy(Table::tsv)>
                "Copy as TSV"
            </button>
            <span class="muted small" role="status" data-testid=format!("{testid}-copied")>{move || told.get()}</span>
        </div>
    }
}

/// `None` where there is no clipboard (a page that is not secure) or the browser refuses.
async fn to_clipboard(text: &str) -> Option<()> {
    let clipboard = Reflect::get(&window().navigator(), &"clipboard".into()).ok()?;
    let write: Function = Reflect::get(&clipboard, &"writeText".into()).ok()?.dyn_into().ok()?;
    let promise: Promise = write.call1(&clipboard, &text.into()).ok()?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok().map(|_| ())
}

fn grid(table: Table, title: &'static str) -> impl IntoView {
    let noted = table.rows.iter().any(|row| row.note.is_some());
    let rows = table.rows.into_iter().map(move |row| {
        let mut cells = row.cells.into_iter();
        let marked = row.note.is_some();
        view! {
            <tr class:marked=marked>
                <th scope="row">{cells.next()}</th>
                {cells.map(|cell| view! { <td>{cell}</td> }).collect_view()}
                {noted.then(|| view! { <td class="words">{row.note}</td> })}
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label=format!("Table: {title}")>
            <table>
                <caption class="visually-hidden">{title}</caption>
                <thead>
                    <tr>
                        {table.heads.into_iter().map(|head| view! { <th scope="col">{head}</th> }).collect_view()}
                        {noted.then(|| view! { <th scope="col" class="words">"Note"</th> })}
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}
