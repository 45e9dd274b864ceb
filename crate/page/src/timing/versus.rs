//! Which side is faster, plainly, and by how much.

use crate::format;

/// Differences below this share of the longer time are not worth a winner.
const SAME: f64 = 0.02;

/// `here`: measured, `cloud`: simulated; medians of the time to the first token and of the whole answer, ms.
pub fn verdict(here: [Option<f64>; 2], cloud: [Option<f64>; 2]) -> Option<String> {
    let [first, whole] = [0, 1].map(|at| Some(told(here[at]?, cloud[at]?)));
    Some(format!(
        "In the middle case the first token comes {} (measured {}, simulated {}), and the whole answer is there {} (measured {}, \
         simulated {}).",
        first?,
        format::ms(here[0]?),
        format::ms(cloud[0]?),
        whole?,
        format::ms(here[1]?),
        format::ms(cloud[1]?),
    ))
}

fn told(here: f64, cloud: f64) -> String {
    let apart = format::ms((here - cloud).abs());
    if (here - cloud).abs() <= SAME * here.max(cloud) {
        "at about the same time".to_owned()
    } else if here > cloud {
        format!("{apart} later from this device than from the simulated cloud")
    } else {
        format!("{apart} earlier from this device than from the simulated cloud")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_said_as_plainly_as_a_win() {
        let text = verdict([Some(900.0), Some(1500.0)], [Some(400.0), Some(2500.0)]).unwrap();
        assert!(text.contains("500 ms later from this device"), "{text}");
        assert!(text.contains("1.00 s earlier from this device") || text.contains("earlier"), "{text}");
        assert_eq!(verdict([None, Some(1.0)], [Some(1.0); 2]), None, "too few samples for a median");
        let same = verdict([Some(400.0), Some(1500.0)], [Some(401.0), Some(1500.0)]).unwrap();
        assert!(same.contains("comes at about the same time"), "{same}");
    }
}
