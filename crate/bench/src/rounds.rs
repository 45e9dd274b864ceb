//! What is measured, and the order in which it is: all engines in turns, so that drift of the machine hits all alike.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xtask::step::note;

use crate::contenders::Contenders;
use crate::engines::{Engine, Maker};
use crate::prompts::{Nibble, Prompt};
use crate::samples::{Answer, Load, Sample, Spread, check};

/// Tokens of the prompt after a load.
pub(crate) const SHORT: u32 = 16;

/// Context at which a token's time is taken apart in every round: tokens of the prompt and of the answer.
pub(crate) const PROFILED: (u32, u32) = (128, 64);

/// Before each measurement: far longer than any engine's threads spin before they park.
const REST: Duration = Duration::from_millis(150);

/// A prompt length and what is answered to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    /// Tokens of the prompt.
    pub(crate) prompt: u32,
    pub(crate) answer: Answer,
    /// Reading it takes long: few rounds, none to warm up, and one of wllama.
    pub(crate) long: bool,
}

impl Workload {
    /// Whether all engines decode the same number of tokens.
    pub(crate) fn shows_decode(self) -> bool {
        matches!(self.answer, Answer::Exactly(_))
    }
}

const WORKLOADS: [Workload; 4] = [
    Workload { prompt: 32, answer: Answer::AtMost(8), long: false },
    Workload { prompt: 128, answer: Answer::Exactly(64), long: false },
    Workload { prompt: 512, answer: Answer::AtMost(16), long: false },
    Workload { prompt: 2_048, answer: Answer::Exactly(32), long: true },
];

/// Rounds of the long prompt.
pub(crate) const LONG_ROUNDS: u32 = 3;

/// How much is measured.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Amount {
    pub(crate) rounds: u32,
    /// Prompt tokens of the shortest and of the longest workload.
    pub(crate) lengths: (u32, u32),
}

impl Amount {
    pub(crate) fn workloads(self) -> Vec<Workload> {
        let (least, most) = self.lengths;
        WORKLOADS.into_iter().filter(|workload| (least..=most).contains(&workload.prompt)).collect()
    }

    /// Whether `engine` takes part in a round; the one that warms up is 0.
    fn includes(self, round: u32, workload: Workload, engine: &Engine) -> bool {
        match (workload.long, engine.maker) {
            (false, _) => true,
            (true, Maker::Wllama) => round == 1,
            (true, _) => (1..=self.rounds.min(LONG_ROUNDS)).contains(&round),
        }
    }
}

/// Every sample of one engine.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Figures {
    /// By tokens of the prompt.
    pub(crate) answers: BTreeMap<u32, Vec<Sample>>,
    pub(crate) loads: Vec<Load>,
    /// What a worker of ours measured of itself, as `protocol::Benched`.
    #[serde(default)]
    pub(crate) profiles: Vec<Value>,
}

impl Figures {
    pub(crate) fn prefill(&self, prompt: u32) -> Option<Spread> {
        Spread::of(self.answers.get(&prompt)?.iter().map(|sample| sample.prefill))
    }

    pub(crate) fn decode(&self, prompt: u32) -> Option<Spread> {
        Spread::of(self.answers.get(&prompt)?.iter().filter_map(|sample| sample.decode))
    }

    pub(crate) fn load(&self, of: fn(&Load) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.loads.iter().filter_map(of))
    }

    /// The most that any answer saw, bytes.
    pub(crate) fn memory(&self) -> Option<u64> {
        self.answers.values().flatten().filter_map(|sample| sample.memory).max()
    }
}

/// Figures by the engine's id.
pub(crate) type All = BTreeMap<String, Figures>;

/// The order of a round: another engine begins each time, and every second round runs backwards.
pub(crate) fn order(engines: &[Engine], round: u32) -> Vec<&Engine> {
    let mut order: Vec<&Engine> = engines.iter().collect();
    order.rotate_left(round as usize % engines.len().max(1));
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// From file to first token, in turns, each engine alone: before any of them is open.
pub(crate) fn loads(
    contenders: &mut Contenders,
    engines: &[Engine],
    prompt: &Prompt,
    rounds: u32,
) -> Result<All> {
    let mut all = All::new();
    for round in 1..=rounds {
        for engine in order(engines, round) {
            std::thread::sleep(REST);
            let load = contenders.load(engine, prompt)?;
            anyhow::ensure!(load.prompt == SHORT, "{} read {} tokens, not {SHORT}", engine.id, load.prompt);
            let Load { cold_ms, cached_ms, first_ms, .. } = &load;
            let cold = cold_ms.map_or(String::new(), |ms| format!("fetched and loaded in {ms:.0} ms; "));
            note(format!(
                "load {round}: {}: {cold}stored: loaded in {cached_ms:.0} ms, first token at {first_ms:.0} ms",
                engine.id
            ));
            all.entry(engine.id.clone()).or_default().loads.push(load);
        }
    }
    Ok(all)
}

/// Answers of all engines, which are open, in turns; added to `all`. Every answer is checked.
pub(crate) fn answers(
    contenders: &mut Contenders,
    engines: &[Engine],
    nibble: &Nibble,
    amount: Amount,
    all: &mut All,
) -> Result<()> {
    let workloads = amount.workloads();
    let prompts: Vec<Prompt> =
        workloads.iter().map(|workload| nibble.prompt(workload.prompt)).collect::<Result<_>>()?;
    // The first round warms caches and compilers up and is not counted.
    for round in 0..=amount.rounds {
        for (workload, prompt) in workloads.iter().zip(&prompts) {
            let taking_part = |engine: &&Engine| amount.includes(round, *workload, engine);
            for engine in order(engines, round).into_iter().filter(taking_part) {
                std::thread::sleep(REST);
                let sample = contenders.answer(engine, prompt, workload.answer.most())?;
                tell(round, *workload, engine, &sample);
                check(&engine.id, std::slice::from_ref(&sample), workload.prompt, workload.answer)?;
                if round > 0 {
                    let figures = all.entry(engine.id.clone()).or_default();
                    figures.answers.entry(workload.prompt).or_default().push(sample);
                    if engine.maker == Maker::Nibble && workload.prompt == PROFILED.0 {
                        figures.profiles.push(contenders.bench(engine, PROFILED.0, PROFILED.1)?);
                    }
                }
            }
        }
    }
    Ok(())
}

fn tell(round: u32, workload: Workload, engine: &Engine, sample: &Sample) {
    let decode = sample.decode.map_or("–".to_owned(), |rate| format!("{rate:.1}"));
    note(format!(
        "round {round}: {:>4} tokens: {}: prefill {:.1}, decode {decode} tok/s",
        workload.prompt, engine.id, sample.prefill
    ));
}

#[cfg(test)]
mod tests {
    use super::{Amount, order};
    use crate::engines::all;

    #[test]
    fn every_engine_is_in_every_round_and_begins_another_time() {
        let engines = all(2, true);
        let first: std::collections::BTreeSet<_> =
            (0..8).map(|round| order(&engines, round)[0].id.clone()).collect();
        assert!(first.len() >= 4, "{first:?}");
        assert!((0..8).all(|round| order(&engines, round).len() == engines.len()));
        assert!(order(&[], 3).is_empty());
    }

    #[test]
    fn the_long_prompt_has_few_rounds_and_one_of_wllama() {
        let amount = Amount { rounds: 5, lengths: (0, u32::MAX) };
        let engines = all(2, true);
        let long = amount.workloads()[3];
        let rounds = |id: &str| {
            let engine = engines.iter().find(|engine| engine.id == id).unwrap();
            (0..=5).filter(|round| amount.includes(*round, long, engine)).collect::<Vec<_>>()
        };
        assert_eq!(rounds("wllama-2"), [1]);
        assert_eq!(rounds("simd128-1"), [1, 2, 3]);
        assert_eq!(Amount { rounds: 1, lengths: (0, 128) }.workloads().len(), 2);
    }
}
