//! Which side of the comparison was faster.

use crate::compare::model::timeline::Timeline;
use crate::shared::format;

/// Differences below this are not worth a winner, ms.
const SAME_MS: f64 = 1.0;

/// Who won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// This device, in both times or in one with the other alike.
    Here,
    /// The simulated cloud, likewise.
    Cloud,
    /// One time each.
    Split,
    /// Neither: both times are alike.
    Neither,
}

impl Winner {
    fn of(here: &Timeline, cloud: &Timeline) -> Self {
        let ahead = |gap: f64| if gap.abs() < SAME_MS { 0.0 } else { gap.signum() };
        let [first, whole] = [cloud.ttft - here.ttft, cloud.end - here.end].map(ahead);
        match first + whole {
            sum if sum > 0.0 => Self::Here,
            sum if sum < 0.0 => Self::Cloud,
            _ if first == 0.0 => Self::Neither,
            _ => Self::Split,
        }
    }

    /// Stable name for tests.
    pub fn key(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Cloud => "cloud",
            Self::Split => "split",
            Self::Neither => "neither",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Here => "This device won",
            Self::Cloud => "This device lost",
            Self::Split => "One each",
            Self::Neither => "A draw",
        }
    }
}

/// Who was first and by how much, plainly, for this one answer and this one simulated request.
pub fn verdict(here: &Timeline, cloud: &Timeline) -> (Winner, String) {
    let told = |here: f64, cloud: f64| match here - cloud {
        d if d.abs() < SAME_MS => ("at about the same time".to_owned(), "as"),
        d if d > 0.0 => (format!("{} later", format::ms(d)), "than"),
        d => (format!("{} earlier", format::ms(-d)), "than"),
    };
    let winner = Winner::of(here, cloud);
    let (first, than) = told(here.ttft, cloud.ttft);
    let (whole, _) = told(here.end, cloud.end);
    let text = format!(
        "{}: the first token came {first} here {than} in the simulated request, and the answer ended {whole}.",
        winner.words()
    );
    (winner, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losing_is_said_plainly() {
        let timeline = |ttft, end| Timeline { bars: Vec::new(), ttft, itl: None, end, arrivals: Vec::new() };
        let (winner, text) = verdict(&timeline(900.0, 4_000.0), &timeline(300.0, 700.0));
        assert_eq!(winner, Winner::Cloud);
        assert!(text.starts_with("This device lost: the first token came 600 ms later here than"), "{text}");
        assert!(text.contains("ended 3,300 ms later"), "{text}");
        let (winner, text) = verdict(&timeline(100.0, 700.2), &timeline(300.0, 700.0));
        assert!(text.contains("200 ms earlier here than") && text.contains("same time"), "{text}");
        assert_eq!(winner, Winner::Here);
        let winner = |here, cloud| verdict(&here, &cloud).0;
        assert_eq!(winner(timeline(100.0, 900.0), timeline(300.0, 700.0)), Winner::Split);
        assert_eq!(winner(timeline(100.0, 700.0), timeline(100.5, 700.5)), Winner::Neither);
    }
}
