//! Drawings made of bars: the tornado and the waterfall of costs. Both are lists that read well as text; the
//! bars stand on a common scale, and what a bar means is told below when it is pointed at or focused.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use crate::charts::drawings::{End, Swing, Tornado, Waterfall};
use crate::charts::scales::{self, Scale, Span, StepBar};
use crate::charts::table::table_twin;

/// Content of a drawing of bars.
#[derive(Clone, Copy)]
pub(crate) struct Bars<T: Send + Sync + 'static> {
    /// Name for tests.
    pub(crate) testid: &'static str,
    /// Heading.
    pub(crate) title: &'static str,
    /// One sentence that says what the drawing shows.
    pub(crate) sentence: Memo<String>,
    /// Data of the drawing.
    pub(crate) data: Memo<Option<T>>,
}

/// How far the result moves with each input, as bars to both sides of the base.
pub(crate) fn tornado(shown: Bars<Tornado>) -> impl IntoView {
    let table = Memo::new(move |_| shown.data.with(|data| data.as_ref().map(Tornado::table)));
    figure(shown, table, |data, told| tornado_rows(&data, told).into_any())
}

/// How one amount becomes another, as bars that hang on a running total.
pub(crate) fn waterfall(shown: Bars<Waterfall>) -> impl IntoView {
    let table = Memo::new(move |_| shown.data.with(|data| data.as_ref().map(Waterfall::table)));
    figure(shown, table, |data, told| waterfall_rows(&data, told).into_any())
}

/// The sentence, the drawing, the line that tells about one bar, and the table.
fn figure<T: Clone + PartialEq + Send + Sync + 'static>(
    shown: Bars<T>,
    table: Memo<Option<crate::charts::drawings::Table>>,
    draw: fn(T, Told) -> AnyView,
) -> impl IntoView {
    let told = Told { row: RwSignal::new(0), text: RwSignal::new(String::new()) };
    view! {
        <figure class="chart bars" data-testid=shown.testid>
            <figcaption>
                <h4>{shown.title}</h4>
                <p class="muted">{move || shown.sentence.get()}</p>
            </figcaption>
            {move || shown.data.get().map(|data| draw(data, told))}
            <p class="bars-told small" aria-hidden="true">
                {move || told.text.with(|text| if text.is_empty() { HINT.to_owned() } else { text.clone() })}
            </p>
            {table_twin(shown.testid, shown.title, table)}
        </figure>
    }
}

const HINT: &str = "Point at a bar for its figures, or reach it with Tab and the arrow keys.";

/// Which row the keyboard is at, and what is told below.
#[derive(Clone, Copy)]
struct Told {
    row: RwSignal<usize>,
    text: RwSignal<String>,
}

/// One row: a single stop of the Tab key for the whole list, arrows within it.
fn row(told: Told, at: usize, class: &'static str, detail: String, inside: impl IntoView) -> impl IntoView {
    let shown = detail.clone();
    let spoken = detail.clone();
    view! {
        <li
            class=class
            tabindex=move || if told.row.get() == at { "0" } else { "-1" }
            title=detail
            on:focus=move |_| {
                told.row.set(at);
                told.text.set(spoken.clone());
            }
            // Moving only: a row that scrolls under a resting pointer must not overrule the keyboard.
            on:pointermove=move |_| {
                if told.text.with_untracked(|text| *text != shown) {
                    told.text.set(shown.clone());
                }
            }
            on:keydown=walk
        >
            {inside}
        </li>
    }
}

/// Moves the focus along the list.
fn walk(event: KeyboardEvent) {
    let Some(here) = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else {
        return;
    };
    let list = here.parent_element();
    let next = match event.key().as_str() {
        "ArrowDown" | "ArrowRight" => here.next_element_sibling(),
        "ArrowUp" | "ArrowLeft" => here.previous_element_sibling(),
        "Home" => list.and_then(|list| list.first_element_child()),
        "End" => list.and_then(|list| list.last_element_child()),
        _ => return,
    };
    event.prevent_default();
    if let Some(next) = next.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = next.focus();
    }
}

fn percent(share: f64) -> String {
    format!("{:.3}%", 100.0 * share)
}

/// A bar on its track.
fn bar(class: String, span: Span) -> impl IntoView {
    view! { <span class=class style:left=percent(span.start) style:width=percent(span.length)></span> }
}

/// A line down the track where a value stands, if the scale holds it.
fn line(class: &'static str, scale: &Scale, value: f64) -> Option<impl IntoView + use<>> {
    scale.holds(value).then(|| view! { <span class=class style:left=percent(scale.at(value))></span> })
}

/// The round numbers below the bars. A narrow screen shows every second one, zero among them.
fn axis(class: &'static str, scale: &Scale) -> impl IntoView + use<> {
    let step = scale.ticks.get(1).map_or(1.0, |second| second - scale.from);
    let ticks = scale.ticks.iter().map(|tick| {
        let at = scale.at(*tick);
        let minor = (tick / step).round() % 2.0 != 0.0;
        view! {
            <span
                class="tick"
                class:tick-minor=minor
                class:tick-first=at < 0.06
                class:tick-last={at > 0.94}
                style:left=percent(at)
            >
                {scales::short_usd(*tick)}
            </span>
        }
    });
    view! { <div class=format!("bars-axis {class}") aria-hidden="true"><div class="ticks">{ticks.collect_view()}</div></div> }
}

fn tornado_rows(data: &Tornado, told: Told) -> impl IntoView + use<> {
    let (scale, kept) = scales::tornado(data);
    let rows = kept.iter().enumerate().map(|(at, index)| {
        let swing = &data.rows[*index];
        row(told, at, "swing", swing_detail(swing), swing_view(swing, data.base, &scale))
    });
    view! {
        {tornado_key(data, &scale)}
        <ol class="tornado">{rows.collect_view()}</ol>
        {axis("swing-axis", &scale)}
    }
}

fn swing_detail(swing: &Swing) -> String {
    let Swing { label, low, high, changes_verdict, detail } = swing;
    let flip = if *changes_verdict { " The verdict changes in between." } else { "" };
    let low_at = &low.input;
    let high_at = &high.input;
    format!("{label}: {low_at} gives {}; {high_at} gives {}.{flip} {detail}", low.text, high.text)
        .trim_end()
        .to_owned()
}

/// Meaning of the patterns and lines, in words beside a sample of each.
fn tornado_key(data: &Tornado, scale: &Scale) -> impl IntoView + use<> {
    let zero = scale.holds(0.0).then(|| {
        let text = format!("verdict changes: {} | {}", data.below_zero, data.above_zero);
        view! { <li><span class="key key-zero" aria-hidden="true"></span>{text}</li> }
    });
    view! {
        <ul class="bars-key small">
            <li><span class="key bar-low" aria-hidden="true"></span>"input at its low end"</li>
            <li><span class="key bar-high" aria-hidden="true"></span>"input at its high end"</li>
            <li>
                <span class="key key-base" aria-hidden="true"></span>
                {format!("{} as entered: {}", data.measure, data.base_text)}
            </li>
            {zero}
        </ul>
    }
}

fn swing_view(swing: &Swing, base: f64, scale: &Scale) -> impl IntoView + use<> {
    let low = &swing.low;
    let high = &swing.high;
    // The worse result stands on the left, whichever end of the input brings it.
    let (left, right) =
        if low.value <= high.value { (("low", low), ("high", high)) } else { (("high", high), ("low", low)) };
    let bars = [("low", low), ("high", high)].map(|(side, end)| {
        let span = scale.span(base, end.value);
        (span.length, bar(format!("swing-bar bar-{side}"), span))
    });
    let [first, second] = bars;
    // Where both lie on the same side of the base, the shorter must not hide behind the longer.
    let (under, over) = if first.0 >= second.0 { (first.1, second.1) } else { (second.1, first.1) };
    view! {
        <span class="swing-label">
            {swing.label.clone()}
            {swing.changes_verdict.then(|| view! { <span class="flips">"flips the verdict"</span> })}
        </span>
        {end_view("swing-left", left)}
        <span class="swing-track" aria-hidden="true">
            {under}
            {over}
            {line("swing-base", scale, base)}
            {line("swing-zero", scale, 0.0)}
        </span>
        {end_view("swing-right", right)}
    }
}

fn end_view(class: &'static str, (side, end): (&'static str, &End)) -> impl IntoView + use<> {
    view! {
        <span class=format!("swing-end {class}")>
            <strong class="num">{end.text.clone()}</strong>
            <span class="swing-input"><span class="visually-hidden">" with "</span>{side}" "{end.input.clone()}</span>
        </span>
    }
}

fn waterfall_rows(data: &Waterfall, told: Told) -> impl IntoView + use<> {
    let (scale, step_bars) = scales::waterfall(data);
    let last = step_bars.len().saturating_sub(1);
    let rows = step_bars.iter().enumerate().map(|(at, step_bar)| {
        let step = &data.steps[step_bar.step];
        let detail = format!("{}: {}. {}", step.label, step.signed(), step.detail).trim_end().to_owned();
        let kind = step_class(step_bar);
        row(told, at, kind, detail, step_view(data, step_bar, &scale, at < last))
    });
    view! {
        <ul class="bars-key small">
            <li><span class="key rung-whole" aria-hidden="true"></span>{data.measure.clone()}</li>
            <li><span class="key rung-up" aria-hidden="true"></span>"adds"</li>
            <li><span class="key rung-down" aria-hidden="true"></span>"takes away"</li>
        </ul>
        <ol class="cost-waterfall">{rows.collect_view()}</ol>
        {axis("rung-axis", &scale)}
    }
}

fn step_class(step_bar: &StepBar) -> &'static str {
    if step_bar.stands { "rung rung-stands" } else { "rung" }
}

fn step_view(data: &Waterfall, step_bar: &StepBar, scale: &Scale, goes_on: bool) -> impl IntoView + use<> {
    let step = &data.steps[step_bar.step];
    let class = match (step_bar.stands, step_bar.change() < 0.0) {
        (true, _) => "rung-whole",
        (false, false) => "rung-up",
        (false, true) => "rung-down",
    };
    view! {
        <span class="rung-label">{step.label.clone()}</span>
        <span class="rung-track" aria-hidden="true">
            {line("rung-zero", scale, 0.0)}
            {goes_on.then(|| line("rung-link", scale, step_bar.after))}
            {bar(format!("rung-bar {class}"), scale.span(step_bar.foot, step_bar.after))}
        </span>
        <strong class="rung-amount num">{step.signed()}</strong>
    }
}
