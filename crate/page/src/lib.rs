//! The page: what a visitor sees, and the bridge to the engine's worker.
//!
//! It knows the messages (`protocol`), the costs (`economics`) and the simulated cloud (`latency`), never the
//! engine. Half of it is pure and tested natively; the other half exists only in a browser.
//!
//! Browser tests find things by `data-testid`; raw numbers stand in `data-value` (ms, bytes, tokens per second,
//! dollars, requests). `KEY` is an input's key with dashes for dots and underscores.
//!
//! - strip: `backend`, `summary-tps`, `summary-ttft`, `summary-cloud-ttft`, `summary-break-even`; also `theme`,
//!   `announcement` (what screen readers are told)
//! - device: `device-backend`, `backend-reason`, `engine-build` (`data-value`: name of its files), `device-{simd,relaxed-simd,webgpu,threads,memory,storage}`
//!   (`data-mark`: Used, Unused, Absent, Missing, Unknown)
//! - model: `model-name`, `load-button`, `load-progress` (`data-stage`, `data-done`, `data-total`), `load-detail`,
//!   `load-cancel`, `model-status` (only when ready; `data-storage`), `load-again`, `metric-load`, `file-input`,
//!   `forget-models`, `forgotten`, `context`, `backend-preference` (Automatic, Gpu, Cpu), `compile-detail`,
//!   `catalogue-missing`, `catalogue-retry`, `template-note`, `keep-file`, `not-kept`, `model-memory`, `lowered`, `probe`, `pace` (`data-value`: bytes/s),
//!   `predicted`, `prediction`;
//!   `model-picker`, `model-choice` (`value`: key); `stored-models`, `stored-model` (`data-id`), `stored-{use,inspect,save,delete,room}`;
//!   `inspect-input`, `inspected`, `inspected-{runs,types,close}`
//! - self-check: `check-agreement` (`data-same`, `data-tokens`), `check-difference`, `check-gpu-tps`,
//!   `check-cpu-tps`, `check-replaced`, `check-remembered`, `check-again`, `variant`, `gpu-memory`
//! - prompt: `task-{classify,extract,summarise,chat}`, `prompt`, `generate`, `stop`, `regenerate`, `new-chat`,
//!   `needs-model`, `shown-first`, `thinking`
//! - settings (a disclosure): `settings`, `temperature`, `top-k`, `top-p`, `min-p`, `repetition-penalty`,
//!   `max-tokens`, `seed`, each with `…-problem`; `new-seed`, `variant-choice`, `threads`, `threads-hint`
//! - answer: `answer`, `finish-reason` (`data-value`: end-of-turn, stop-string, budget, context-full, aborted,
//!   failed), `earlier-answer`, `earlier-finish-reason`, `asked`, `reading`, `error` (any section), `hidden-run`, `moved`, `moved-figures`, `thought`, `system-folded`
//! - figures: `metric-{ttft,itl,itl-p90,tps,e2e,memory,prompt-tokens,reused-tokens}`
//! - measurement (a disclosure): `bench`, `bench-start`, `bench-stop`, `bench-result` (`data-backend`),
//!   `bench-{prefill,decode,ttft,dispatches,passes,readback,bandwidth,copy,share}`, `bench-kernels`
//! - compare: `race-verdict`, `race-size`, `cloud-label`, `cloud-preset`, `cloud-connection`, `cloud-seed`,
//!   `cloud-spread`, `cloud-sources`, `{local,cloud}-{ttft,itl,e2e}`,
//!   `race`, `race-stop`, `live-{here,cloud}` (`data-value`: tokens so far, `data-first`, `data-ended`), `lane-{here,cloud}`,
//!   `waterfall-{measured,simulated}` (rows: `data-stage`, `data-value`); `cloud-figures`, `cloud-pace` (`data-longest`);
//!   `yours`, `yours-{p50,p90,p99,gap-p50,gap-p99,paste,read,file,problem,fit}`
//! - latency: `measure-{start,pause,stop,progress,options,answers,tokens,narrow,percentile,width,told,count,tick,hidden}`,
//!   `feed-forward`; `latency-verdict`, `percentiles-SIDE`, `SIDE-METRIC-{samples,mean,pNN}` (here, cloud, other; ttft,
//!   inter-token, tpot, end-to-end), `category-{ID,all}-{first,rate}`, `simulated-count`, `other-place`;
//!   `metric-of-METRIC`, `chart-{cdf,histogram}`; `slo`, `slo-{ttft,tpot,share,limits,problem,decide}`,
//!   `slo-{share,holds}-SIDE`, `goodput-SIDE`; `soak-{minutes,start,pause,stop,progress,verdict}`,
//!   `chart-soak`, `chart-soak-memory`; `export-{json,csv,told}`, `import`, `import-remove`
//! - cost: `cost-preset`, `preset-story`, `cost-reset`, `cost-compare`, `cost-single`, `case-{0,1}`, `side-by-side`;
//!   `cost-KEY`, `cost-KEY-slider`, `cost-KEY-problem` (also `data-key`: the input's key in files), `group-GROUP`,
//!   `cost-use-measured`; `options`, `option-DEPLOYMENT`, `value-DEPLOYMENT`, `focus-DEPLOYMENT` (cloud, edge,
//!   endpoint, browser, hybrid); `decision`, `warning`, `verdict` (`data-value`: DEPLOYMENT-cheaper, equal),
//!   `threshold`, `tipping-volume`, `break-even-month`, `floor-volume`, `cost-DEPLOYMENT`, `saving`, `ratio`,
//!   `users-pay`, `irr`; `odds-{seed,stop,run,done}`, `flips`; `chart-{months,volume,tornado,waterfall}`, each with
//!   `…-table`, `…-csv`, `…-tsv`, `…-copied`; `panel-{capacity,downloads,books}`, `bill-DEPLOYMENT`,
//!   `total-DEPLOYMENT`; `memory-{none,loaded}`, `kv-table`, `ceilings`, `schemes`; `ledger`, `assumption-KEY`,
//!   `discrepancy`
//! - decide: `choice` (`data-value`: the deployment, or none), `close-call`, `premium`, `ranking`, `gates`,
//!   `decision-paths`, `path-result`, `article-chart` (`data-differs`)
#![deny(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod charts;
pub mod compare;
pub mod cost;
pub mod decide;
pub mod engine_link;
pub mod latency;
pub mod run;
pub mod shared;

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod inbox;
#[cfg(target_arch = "wasm32")]
mod shell;
#[cfg(target_arch = "wasm32")]
pub mod start;
