//! Loss in bursts: Gilbert and Elliott's two-state chain.

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// A link that is good or bad; a packet sent while it is bad is lost once and recovered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Chance that a good link turns bad, a token.
    pub turn_bad: f64,
    /// Chance that a bad link turns good, a token.
    pub turn_good: f64,
    /// How long one recovery takes, ms.
    pub recovery_ms: f64,
}

impl Loss {
    /// Share of time the link is bad: p / (p + r).
    pub fn bad_share(&self) -> f64 {
        if self.turn_bad == 0.0 { 0.0 } else { self.turn_bad / (self.turn_bad + self.turn_good) }
    }

    /// Mean length of a burst, tokens: 1 / r.
    pub fn mean_burst(&self) -> f64 {
        1.0 / self.turn_good
    }

    /// Correlation of the state from one token to the next: 1 − p − r.
    pub fn correlation(&self) -> f64 {
        1.0 - self.turn_bad - self.turn_good
    }

    /// The next token's state, from the one before.
    pub(crate) fn step(&self, bad: bool, random: &mut Random) -> bool {
        let draw = random.uniform();
        if bad { draw >= self.turn_good } else { draw < self.turn_bad }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSS: Loss = Loss { turn_bad: 0.01, turn_good: 0.25, recovery_ms: 200.0 };

    #[test]
    fn closed_forms() {
        assert!((LOSS.bad_share() - 0.038_461_5).abs() < 5e-8);
        assert_eq!(LOSS.mean_burst(), 4.0);
        assert!((LOSS.correlation() - 0.74).abs() < 1e-12);
    }

    #[test]
    fn the_chain_spends_its_share_in_the_bad_state() {
        let mut random = Random::new(1, 0);
        let mut bad = false;
        let steps = 1_000_000;
        let mut count = 0;
        for _ in 0..steps {
            bad = LOSS.step(bad, &mut random);
            count += u32::from(bad);
        }
        // Standard error with this correlation: sqrt(πB(1−πB)/n · (1+ρ)/(1−ρ)) = 5e-4.
        assert!((f64::from(count) / f64::from(steps) - LOSS.bad_share()).abs() < 2e-3);
    }
}
