//! Which side is faster, plainly, and by how much.

use crate::latency::model::percentiles::Cell;
use crate::shared::format;

/// `here`: measured, `cloud`: simulated; medians of the time to the first token and of the whole answer. `None` until
/// enough samples stand behind all of them.
pub fn verdict(here: [Cell; 2], cloud: [Cell; 2]) -> Option<String> {
    let [first, whole] = [0, 1].map(|at| told(here[at], cloud[at]));
    Some(format!(
        "In the middle case the first token comes {}, and the whole answer is there {}.",
        first?, whole?
    ))
}

/// A difference within both intervals is none that so many answers can tell.
fn told(here: Cell, cloud: Cell) -> Option<String> {
    let mine = here.value?;
    let theirs = cloud.value?;
    let ((low, high), (least, most)) = (here.interval?, cloud.interval?);
    let apart = format::ms((mine - theirs).abs());
    let how = match mine > theirs {
        _ if low <= most && least <= high => {
            "from this device and the simulated cloud at times that so many answers cannot tell apart"
                .to_owned()
        }
        true => format!("{apart} later from this device than from the simulated cloud"),
        false => format!("{apart} earlier from this device than from the simulated cloud"),
    };
    Some(format!("{how} (measured {}, simulated {})", format::ms(mine), format::ms(theirs)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: f64, spread: f64) -> Cell {
        Cell { value: Some(value), interval: Some((value - spread, value + spread)), needs: 5 }
    }

    #[test]
    fn a_loss_is_said_as_plainly_as_a_win() {
        let text =
            verdict([cell(900.0, 10.0), cell(1500.0, 10.0)], [cell(400.0, 1.0), cell(2000.0, 1.0)]).unwrap();
        assert!(text.contains("first token comes 500 ms later from this device"), "{text}");
        assert!(text.contains("answer is there 500 ms earlier from this device"), "{text}");
    }

    #[test]
    fn what_the_intervals_leave_open_stays_open() {
        let [here, cloud] = [cell(500.0, 150.0), cell(400.0, 1.0)];
        let text = verdict([here; 2], [cloud; 2]).unwrap();
        assert!(text.contains("cannot tell apart") && !text.contains("later"), "{text}");
        let few = Cell { value: None, interval: None, needs: 5 };
        assert_eq!(verdict([few, here], [cloud; 2]), None, "too few samples for a median");
    }
}
