//! One side of the comparison as a waterfall. Both sides are drawn to the same scale, each in its own timeline.

use leptos::prelude::*;

use crate::compare::model::playback::Frame;
use crate::compare::model::timeline::Bar;
use crate::shared::format;

/// A side's stages. `scale`: ms that the full width stands for. `kind`: `measured` or `simulated`. Stages to come have
/// their row already, so that nothing moves when they begin.
pub(crate) fn waterfall(frame: &Frame, scale: f64, kind: &'static str) -> impl IntoView + use<> {
    let rows = frame.bars.iter().cloned().enumerate();
    let begun = frame.begun;
    let rows = rows.map(|(at, bar)| row(bar, at < begun, scale, kind)).collect_view();
    view! { <ol class="waterfall" data-testid=format!("waterfall-{kind}") data-scale=scale.to_string()>{rows}</ol> }
}

fn row(bar: Bar, begun: bool, scale: f64, kind: &'static str) -> impl IntoView {
    let share =
        move |ms: f64| if scale > 0.0 { format!("{:.3}%", 100.0 * ms / scale) } else { "0%".to_owned() };
    let drawn = begun && bar.length > 0.0;
    let time = match (begun, bar.length > 0.0) {
        (false, _) => String::new(),
        (true, false) => "none".to_owned(),
        (true, true) => format::ms(bar.length),
    };
    view! {
        <li class="stage" data-stage=bar.label data-value=begun.then(|| bar.length.to_string())>
            <span class="stage-name">{bar.label}</span>
            <span class="track" aria-hidden="true">
                <span class=format!("bar bar-{kind}") class:hidden=!drawn style:left=share(bar.start) style:width=share(bar.length)></span>
            </span>
            <span class="stage-time num">{time}</span>
        </li>
    }
}
