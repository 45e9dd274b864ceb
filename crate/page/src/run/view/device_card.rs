//! The device check, the backend that will run, and why: told before anything is downloaded.

use leptos::prelude::*;

use crate::app::App;
use crate::engine_link::builds::ActiveBuild;
use crate::run::model::device_check::{self, Line, Mark};
use crate::run::view::check::self_check;
use crate::shared::parts::icon;

/// An icon and a word for how a line turned out.
fn mark(mark: Mark) -> impl IntoView {
    let (name, class, word) = match mark {
        Mark::Used => ("check", "mark mark-used", "used"),
        Mark::Unused => ("dot", "mark", "there, not used"),
        Mark::Absent => ("dot", "mark", "not there"),
        Mark::Missing => ("cross", "mark mark-missing", "missing"),
        Mark::Unknown => ("dot", "mark", "not known"),
    };
    view! {
        <span class=class>
            {icon(name)}
            <span class="visually-hidden">{word}</span>
        </span>
    }
}

fn row(line: Line) -> impl IntoView {
    view! {
        <li class="check" data-testid=format!("device-{}", line.key) data-mark=format!("{:?}", line.mark)>
            {mark(line.mark)}
            <span class="check-label">{line.label}</span>
            <span class="check-value">{line.value}</span>
        </li>
    }
}

fn lines(app: App, active: Option<&ActiveBuild>) -> Vec<Line> {
    app.model
        .report
        .with(|report| app.device.with(|device| device_check::lines(device, report.as_ref(), active)))
}

/// The device check.
pub(crate) fn device_card(app: App) -> impl IntoView {
    let name = Memo::new(move |_| app.backend().0);
    let reason = Memo::new(move |_| app.backend().1);
    let active = Memo::new(move |_| app.active_build());
    let build = move || active.with(|s| s.as_ref().map(|s| app.device.with(|device| s.reason(device))));
    view! {
        <article class="card" aria-labelledby="device-title">
            <h3 id="device-title">"This device"</h3>
            <p class="backend-line">
                <span class="chip" data-testid="device-backend" data-value=move || name.get()>
                    {move || name.get()}
                </span>
                <span class="muted">
                    {move || match (app.device.with(|device| device.supported()), app.model.report.with(Option::is_some)) {
                        (false, _) => "cannot run here",
                        (true, false) => "will run here",
                        (true, true) => "runs here",
                    }}
                </span>
            </p>
            <p class="reason" data-testid="backend-reason">{move || reason.get()}</p>
            <p class="reason small muted" data-testid="engine-build" data-value=move || active.with(|s| s.as_ref().map(|s| s.build.name))>
                {build}
            </p>
            <ul class="checks">
                {move || lines(app, active.get().as_ref()).into_iter().map(row).collect_view()}
            </ul>
            {self_check(app)}
        </article>
    }
}
