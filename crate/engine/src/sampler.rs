//! Choosing the next token from its logits: greedy, or drawn with a seed.
//!
//! Order: repetition penalty, temperature, top-k, then by probability min-p and top-p, then the draw.

pub use protocol::Sampling;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::cpu::kernels::portable::exp;
use crate::error::{Error, Result};

/// Logits that are looked at together when the best are sought.
const BLOCK: usize = 64;

/// Chooses tokens; its buffers are allocated once.
#[derive(Clone)]
pub struct Sampler {
    settings: Sampling,
    random: Pcg64Mcg,
    /// Which tokens were seen, one flag an entry of the vocabulary.
    seen: Vec<bool>,
    /// (logit, then probability; token).
    candidates: Vec<(f32, u32)>,
    /// Largest logit of every block.
    peaks: Vec<f32>,
}

impl Sampler {
    /// For a vocabulary of this size.
    ///
    /// # Errors
    /// A setting is out of its range.
    pub fn new(settings: Sampling, vocabulary: usize) -> Result<Self> {
        Self::validate(&settings)?;
        Ok(Self {
            random: Pcg64Mcg::seed_from_u64(settings.seed),
            seen: vec![false; vocabulary],
            candidates: Vec::with_capacity(if settings.temperature > 0.0 { vocabulary } else { 0 }),
            peaks: Vec::with_capacity(vocabulary.div_ceil(BLOCK)),
            settings,
        })
    }

    /// Whether every setting is within its range.
    ///
    /// # Errors
    /// The first that is not, by name.
    pub fn validate(settings: &Sampling) -> Result<()> {
        let check = |ok, setting, value: f32, range| match ok {
            true => Ok(()),
            false => Err(Error::BadSetting { setting, value: value.to_string(), range }),
        };
        let Sampling { temperature, top_p, min_p, repetition_penalty, .. } = *settings;
        check((0.0..=5.0).contains(&temperature), "temperature", temperature, "between 0 and 5")?;
        check(top_p > 0.0 && top_p <= 1.0, "top-p", top_p, "above 0 and at most 1")?;
        check((0.0..1.0).contains(&min_p), "min-p", min_p, "at least 0 and below 1")?;
        let penalty = repetition_penalty;
        check((0.5..=2.0).contains(&penalty), "repetition penalty", penalty, "between 0.5 and 2")
    }

    /// How it chooses.
    pub(crate) fn settings(&self) -> &Sampling {
        &self.settings
    }

    /// The next random number, in [0, 1); 24 random bits are what an f32 holds of that.
    pub(crate) fn number(&mut self) -> f32 {
        (self.random.next_u64() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// One bit for every entry of the vocabulary that was seen, 32 a word, as little-endian bytes.
    pub(crate) fn seen_bits(&self) -> Vec<u8> {
        let word = |flags: &[bool]| flags.iter().rev().fold(0u32, |word, seen| word << 1 | u32::from(*seen));
        self.seen.chunks(32).flat_map(|flags| word(flags).to_le_bytes()).collect()
    }

    /// Takes note of a token that was chosen elsewhere by these settings and this one's next random number.
    pub(crate) fn accept_chosen(&mut self, token: u32) {
        if self.settings.temperature > 0.0 {
            self.number();
        }
        self.accept(token);
    }

    /// Marks a token as seen, for the repetition penalty.
    pub fn accept(&mut self, token: u32) {
        if let Some(seen) = self.seen.get_mut(token as usize) {
            *seen = true;
        }
    }

    /// The next token. logits: (vocabulary,); those of seen tokens are changed by the penalty.
    pub fn pick(&mut self, logits: &mut [f32]) -> u32 {
        self.penalize(logits);
        if self.settings.temperature == 0.0 {
            return argmax(logits);
        }
        self.gather(logits);
        self.keep_top_k();
        self.softmax();
        self.keep_top_p();
        self.draw()
    }

    fn penalize(&mut self, logits: &mut [f32]) {
        let penalty = self.settings.repetition_penalty;
        if penalty == 1.0 {
            return;
        }
        for (logit, _) in logits.iter_mut().zip(&self.seen).filter(|(_, seen)| **seen) {
            *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
        }
    }

    /// Candidates with their logits divided by the temperature: all, or with top-k those that can be among the best k.
    /// The k-th largest of the blocks' peaks is a bound: k logits reach it.
    fn gather(&mut self, logits: &[f32]) {
        let inverse = 1.0 / self.settings.temperature;
        let k = self.settings.top_k;
        self.peaks.clear();
        let mut bound = f32::NEG_INFINITY;
        if k > 0 && k < logits.len() / BLOCK {
            self.peaks.extend(logits.chunks(BLOCK).map(peak));
            bound = *self.peaks.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1;
        }
        self.candidates.clear();
        for (block, first) in logits.chunks(BLOCK).zip((0..).step_by(BLOCK)) {
            if k == 0 || peak(block) >= bound {
                let kept = block.iter().zip(first..).filter(|(logit, _)| **logit >= bound);
                self.candidates.extend(kept.map(|(logit, token)| (logit * inverse, token)));
            }
        }
    }

    fn keep_top_k(&mut self) {
        let k = self.settings.top_k;
        if k > 0 && k < self.candidates.len() {
            self.candidates.select_nth_unstable_by(k - 1, descending);
            self.candidates.truncate(k);
            // In a fixed order, so that every backend draws the same token by the same number.
            self.candidates.sort_unstable_by(descending);
        }
    }

    /// Logits to probabilities relative to the best one's, dropping those below min-p.
    fn softmax(&mut self) {
        let best = self.candidates.iter().fold(f32::NEG_INFINITY, |best, c| best.max(c.0));
        for candidate in &mut self.candidates {
            candidate.0 = exp(candidate.0 - best);
        }
        let min_p = self.settings.min_p;
        if min_p > 0.0 {
            self.candidates.retain(|c| c.0 >= min_p);
        }
    }

    /// Keeps the smallest set whose mass reaches top-p, without sorting the vocabulary: the head of the order
    /// is sorted out in doubling steps until it holds the mass.
    fn keep_top_p(&mut self) {
        if self.settings.top_p >= 1.0 {
            return;
        }
        let wanted = self.settings.top_p * self.candidates.iter().map(|c| c.0).sum::<f32>();
        let mut head = 64;
        loop {
            let head_len = head.min(self.candidates.len());
            if head_len < self.candidates.len() {
                self.candidates.select_nth_unstable_by(head_len - 1, descending);
            }
            self.candidates[..head_len].sort_unstable_by(descending);
            let mut mass = 0.0;
            let reached = self.candidates[..head_len].iter().position(|c| {
                mass += c.0;
                mass >= wanted
            });
            if let Some(last) = reached {
                return self.candidates.truncate(last + 1);
            }
            if head_len == self.candidates.len() {
                return;
            }
            head *= 4;
        }
    }

    /// Draws one candidate by its share.
    fn draw(&mut self) -> u32 {
        let total: f32 = self.candidates.iter().map(|c| c.0).sum();
        let mut left = self.number() * total;
        for (probability, token) in &self.candidates {
            left -= probability;
            if left < 0.0 {
                return *token;
            }
        }
        self.candidates.last().map_or(0, |c| c.1)
    }
}

/// Best first; equal ones by token, so that the order is the same on every machine.
fn descending(a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// Index of the largest logit, the first of equals.
pub fn argmax(logits: &[f32]) -> u32 {
    let best = peak(logits);
    logits.iter().position(|logit| *logit == best).unwrap_or(0) as u32
}

/// The largest logit; lane by lane, which compilers vectorise.
fn peak(logits: &[f32]) -> f32 {
    let (eights, rest) = logits.as_chunks::<8>();
    let mut best = [f32::NEG_INFINITY; 8];
    for eight in eights {
        for (best, logit) in best.iter_mut().zip(eight) {
            *best = if *logit > *best { *logit } else { *best };
        }
    }
    best.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(settings: Sampling, logits: &[f32], draws: usize) -> Vec<u32> {
        let mut sampler = Sampler::new(settings, logits.len()).unwrap();
        (0..draws).map(|_| sampler.pick(&mut logits.to_vec())).collect()
    }

    fn warm(temperature: f32) -> Sampling {
        Sampling { temperature, seed: 7, ..Sampling::greedy() }
    }

    #[test]
    fn greedy_takes_the_first_of_the_best() {
        assert_eq!(drawn(Sampling::greedy(), &[0.0, 3.0, 3.0, -1.0], 2), [1, 1]);
    }

    #[test]
    fn a_seed_means_one_sequence_and_another_seed_another() {
        let logits: Vec<f32> = (0..5000).map(|i| (i % 17) as f32 * 0.1).collect();
        let first = drawn(warm(1.0), &logits, 50);
        assert_eq!(first, drawn(warm(1.0), &logits, 50));
        assert_ne!(first, drawn(Sampling { seed: 8, ..warm(1.0) }, &logits, 50));
    }

    #[test]
    fn shares_follow_the_softmax() {
        let picks = drawn(warm(1.0), &[0.0, 2.0f32.ln(), 5.0f32.ln()], 40_000);
        for (token, share) in [(0, 1.0 / 8.0), (1, 2.0 / 8.0), (2, 5.0 / 8.0)] {
            let got = picks.iter().filter(|p| **p == token).count() as f64 / picks.len() as f64;
            // Four standard errors of a share at n = 40,000.
            assert!((got - share).abs() < 4.0 * (share * (1.0 - share) / 40_000.0).sqrt(), "{token}: {got}");
        }
    }

    #[test]
    fn each_filter_keeps_what_its_definition_says() {
        // Probabilities 0.5, 0.3, 0.15, 0.05.
        let logits: Vec<f32> = [0.15f32, 0.5, 0.05, 0.3].iter().map(|p| p.ln()).collect();
        let kept = |settings| {
            let mut kept = drawn(settings, &logits, 2000);
            kept.sort_unstable();
            kept.dedup();
            kept
        };
        assert_eq!(kept(Sampling { top_k: 2, ..warm(1.0) }), [1, 3]);
        assert_eq!(kept(Sampling { top_p: 0.79, ..warm(1.0) }), [1, 3]);
        assert_eq!(kept(Sampling { top_p: 0.81, ..warm(1.0) }), [0, 1, 3]);
        assert_eq!(kept(Sampling { min_p: 0.2, ..warm(1.0) }), [0, 1, 3]);
        assert_eq!(kept(warm(1.0)), [0, 1, 2, 3]);
    }

    #[test]
    fn the_best_k_are_found_without_sorting() {
        let logits: Vec<f32> = (0..4000u64).map(|i| ((i * 7919) % 1009) as f32 * 0.01).collect();
        for top_k in [1, 5, 40, 62, 63, 500] {
            let mut sampler = Sampler::new(Sampling { top_k, ..warm(1.0) }, logits.len()).unwrap();
            sampler.gather(&logits);
            sampler.keep_top_k();
            let mut want: Vec<(f32, u32)> = logits.iter().copied().zip(0..).collect();
            want.sort_unstable_by(descending);
            assert_eq!(sampler.candidates, want[..top_k], "{top_k}");
        }
    }

    #[test]
    fn top_p_over_a_flat_vocabulary_keeps_the_right_count() {
        let logits = vec![0.0; 5000];
        let mut sampler = Sampler::new(Sampling { top_p: 0.5, ..warm(1.0) }, 5000).unwrap();
        sampler.pick(&mut logits.clone());
        assert_eq!(sampler.candidates.len(), 2500);
    }

    #[test]
    fn the_penalty_turns_away_from_what_was_seen() {
        let settings = Sampling { repetition_penalty: 1.5, ..Sampling::greedy() };
        let mut sampler = Sampler::new(settings, 2).unwrap();
        assert_eq!(sampler.pick(&mut [2.0, 1.5]), 0);
        sampler.accept(0);
        assert_eq!(sampler.pick(&mut [2.0, 1.5]), 1);
    }

    #[test]
    fn a_setting_out_of_range_is_named() {
        let error = Sampler::validate(&Sampling { top_p: 1.5, ..warm(1.0) }).unwrap_err().to_string();
        assert_eq!(error, "top-p is 1.5; it must be above 0 and at most 1");
        assert!(Sampler::validate(&Sampling { temperature: f32::NAN, ..warm(1.0) }).is_err());
    }
}
