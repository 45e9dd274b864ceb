//! Two sets of logits of the same tokens, compared a slice of the vocabulary at a time, so that neither softmax
//! needs its whole vocabulary side by side.

use std::ops::Range;

/// How two backends' logits agree, token by token.
pub struct Agreement {
    tokens: Vec<Pair>,
}

/// One token.
#[derive(Clone)]
struct Pair {
    ours: OnlineSoftmax,
    theirs: OnlineSoftmax,
    /// Smallest and largest `theirs - ours` of the logits.
    least: f64,
    most: f64,
}

/// Best entry and Σ exp(logit − peak) of the logits seen so far.
#[derive(Clone)]
struct OnlineSoftmax {
    best: u32,
    peak: f32,
    sum: f64,
    finite: bool,
}

impl OnlineSoftmax {
    const EMPTY: Self = Self { best: 0, peak: f32::NEG_INFINITY, sum: 0.0, finite: true };

    fn add(&mut self, id: u32, logit: f32) {
        if !logit.is_finite() {
            self.finite = false;
        } else if logit > self.peak {
            self.sum = self.sum * f64::from(self.peak - logit).exp() + 1.0;
            (self.peak, self.best) = (logit, id);
        } else {
            self.sum += f64::from(logit - self.peak).exp();
        }
    }

    /// log Σ exp(logit): log-softmax takes it away from each logit.
    fn log_sum_exp(&self) -> f64 {
        f64::from(self.peak) + self.sum.ln()
    }
}

impl Agreement {
    /// Of `tokens` tokens, nothing seen yet.
    pub fn new(tokens: usize) -> Self {
        let pair = Pair {
            ours: OnlineSoftmax::EMPTY,
            theirs: OnlineSoftmax::EMPTY,
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
        };
        Self { tokens: vec![pair; tokens] }
    }

    /// Takes the logits of token `token` for the vocabulary's `rows`, each (rows,). Every row once, in any order of
    /// slices; within a tie the row that came first is the best.
    ///
    /// # Panics
    /// There is no such token.
    pub fn add(&mut self, token: usize, rows: Range<usize>, ours: &[f32], theirs: &[f32]) {
        let pair = &mut self.tokens[token];
        for (row, (ours, theirs)) in rows.zip(ours.iter().zip(theirs)) {
            pair.ours.add(row as u32, *ours);
            pair.theirs.add(row as u32, *theirs);
            let difference = f64::from(*theirs) - f64::from(*ours);
            pair.least = pair.least.min(difference);
            pair.most = pair.most.max(difference);
        }
    }

    /// Best entry of the vocabulary for each token: ours and theirs.
    pub fn best(&self) -> impl Iterator<Item = (u32, u32)> {
        self.tokens.iter().map(|pair| (pair.ours.best, pair.theirs.best))
    }

    /// Tokens whose best entry is the same for both.
    pub fn same(&self) -> usize {
        self.best().filter(|(ours, theirs)| ours == theirs).count()
    }

    /// Largest difference of a log-probability, over all tokens and the whole vocabulary; infinite where a logit
    /// was not a finite number.
    pub fn largest_difference(&self) -> f32 {
        let of = |pair: &Pair| {
            if !pair.ours.finite || !pair.theirs.finite {
                return f64::INFINITY;
            }
            // Log-softmax shifts all logits of a side alike: the extremes of the differences stay the extremes.
            let shift = pair.theirs.log_sum_exp() - pair.ours.log_sum_exp();
            (pair.least - shift).abs().max((pair.most - shift).abs())
        };
        self.tokens.iter().map(of).fold(0.0, f64::max) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::argmax;

    fn log_softmax(logits: &[f32]) -> Vec<f64> {
        let sum: f64 = logits.iter().map(|l| f64::from(*l).exp()).sum();
        logits.iter().map(|l| f64::from(*l) - sum.ln()).collect()
    }

    /// Two sides' logits, not alike, of `len` entries.
    fn sides(len: usize) -> (Vec<f32>, Vec<f32>) {
        let ours: Vec<f32> = (0..len).map(|i| ((i * 37 % 101) as f32 - 50.0) / 7.0).collect();
        let theirs =
            ours.iter().enumerate().map(|(i, l)| l + 3.0 + ((i * 53 % 29) as f32 - 14.0) / 90.0).collect();
        (ours, theirs)
    }

    #[test]
    fn slices_compare_as_the_whole_does() {
        let (ours, theirs) = sides(100);
        let want = log_softmax(&ours)
            .iter()
            .zip(log_softmax(&theirs))
            .map(|(ours, theirs)| (ours - theirs).abs())
            .fold(0.0, f64::max);
        for slice in [1, 7, 100] {
            let mut agreement = Agreement::new(2);
            for start in (0..100).step_by(slice) {
                let rows = start..100.min(start + slice);
                agreement.add(0, rows.clone(), &ours[rows.clone()], &theirs[rows.clone()]);
                agreement.add(1, rows.clone(), &ours[rows.clone()], &ours[rows]);
            }
            let got = f64::from(agreement.largest_difference());
            assert!((got - want).abs() < 1e-6, "{got}, not {want}, in slices of {slice}");
            let (a, b) = (argmax(&ours), argmax(&theirs));
            assert_eq!(agreement.best().collect::<Vec<_>>(), [(a, b), (a, a)]);
            assert_eq!(agreement.same(), 1 + usize::from(a == b));
        }
    }

    #[test]
    fn what_is_no_number_never_agrees() {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut agreement = Agreement::new(1);
            agreement.add(0, 0..3, &[1.0, 2.0, 3.0], &[1.0, wrong, 3.0]);
            assert_eq!(agreement.largest_difference(), f32::INFINITY);
        }
    }
}
