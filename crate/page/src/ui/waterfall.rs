//! One side of the comparison as a waterfall. Both sides are drawn to the same scale, each in its own lane.

use leptos::prelude::*;

use crate::format;
use crate::race::{Bar, Lane};

/// A lane's stages. `scale`: ms that the full width stands for. `kind`: `measured` or `simulated`.
pub(crate) fn waterfall(lane: &Lane, scale: f64, kind: &'static str) -> impl IntoView + use<> {
    let rows = lane.bars.iter().cloned().map(|bar| row(bar, scale, kind)).collect_view();
    view! { <ol class="waterfall">{rows}</ol> }
}

fn row(bar: Bar, scale: f64, kind: &'static str) -> impl IntoView {
    let share = |ms: f64| if scale > 0.0 { format!("{:.3}%", 100.0 * ms / scale) } else { "0%".to_owned() };
    view! {
        <li class="stage">
            <span class="stage-name">{bar.label}</span>
            <span class="track" aria-hidden="true">
                <span class=format!("bar bar-{kind}") style:left=share(bar.start) style:width=share(bar.length)></span>
            </span>
            <span class="stage-time num">{format::ms(bar.length)}</span>
        </li>
    }
}
