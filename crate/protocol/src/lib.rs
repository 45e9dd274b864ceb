//! Every message between the page and the engine's worker: one enum each way.
//!
//! The engine speaks of conversations, sampling and backends in the same terms, so they are said here alone.
//!
//! A message travels as the JSON text of one enum value. `ToWorker::Load` with `Source::File` is posted
//! as `[json, File, …]`, a file for each part of the model, `ToWorker::Inspect` of a file as `[json, File]`,
//! `FromWorker::Ready` as `[json, Int32Array]` where memory can be shared and `FromWorker::Exported` with a `File` last;
//! every other message as `[json]`. That array is the doorbell: the page adds one to its only element (`Atomics.add`) before it posts a
//! message, since only then does an answer under way let messages in. Times are milliseconds since the Unix epoch on the
//! sender's clock (`performance.timeOrigin + performance.now()`), which page and worker share.

mod bench;
mod conversation;
mod measure;
mod selection;
mod store;
mod threads;

use serde::{Deserialize, Serialize};

pub use bench::{Bench, Benched, CpuCosts, GpuCosts, Probed, StageCosts};
pub use conversation::{ChatFormat, Message, Role, Sampling, TemplateOrigin};
pub use measure::{Asked, Ended, Measure, Measured, Sampled, Until};
pub use selection::{Check, Precision, Preference, Report, is_software};
pub use store::{
    ADDRESSABLE, BESIDES, Fit, Inspect, Inspected, LONGEST_TEMPLATE, Lowered, Models, Needs, Origin, Part,
    Record, SHORTEST, Stored, Work, memory_limit,
};
pub use threads::{AUTOMATIC_THREADS, MOST_THREADS, threads};

/// A request of the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToWorker {
    /// Fetches (or opens from storage), checks and loads a model; replaces the one loaded before.
    Load(Load),
    /// Measures the loaded model on its backend; answered by `Benched`.
    Bench(Bench),
    /// Measures the processor without a model; answered by `Probed`.
    Probe {
        /// Threads to compute on; 0 for as many as are good here.
        threads: u32,
    },
    /// Answers a conversation. One at a time; a second one is refused with `FailureKind::Busy`.
    Generate(Generate),
    /// Measures how long answers take; a `Sampled` for each, and `Measured` at the end.
    Measure(Measure),
    /// Holds a measurement between two answers, or lets it go on.
    Pause(bool),
    /// Whether the tab is in the background now.
    Hidden(bool),
    /// Ends the running load, generation or measurement at the next chunk or token.
    Abort,
    /// Removes every stored model file from this browser, and what was found out about them.
    ForgetModels,
    /// Asks for every stored model; answered by `Models`, whatever else runs.
    ListModels,
    /// Removes one stored model; answered by `Models`.
    DeleteModel {
        /// Its name in storage.
        id: String,
    },
    /// Asks for a stored model's file, to be saved elsewhere; answered by `Exported`, once for each of its files.
    ExportModel {
        /// Its name in storage.
        id: String,
    },
    /// Asks what a file says of itself; answered by `Inspected`.
    Inspect(Inspect),
}

/// A message of the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromWorker {
    /// The worker runs; sent once, before anything else.
    Ready(Ready),
    /// Where a load stands; several a second.
    LoadProgress(LoadProgress),
    /// The model can be prompted.
    Loaded(Box<Loaded>),
    /// How far the prompt is read; at least once before the first token.
    Prefill(Prefill),
    /// One token was chosen.
    Token(Token),
    /// A generation ended, for whatever reason but a failure.
    Finished(Finished),
    /// Another backend goes on with the conversation, because the one before it failed.
    Moved(Moved),
    /// A measurement that was asked for.
    Benched(Benched),
    /// Pace of the processor.
    Probed(Probed),
    /// One answer of a measurement.
    Sampled(Sampled),
    /// A measurement of many answers ended.
    Measured(Measured),
    /// Every stored model was removed.
    Forgotten {
        /// Bytes that the removed files held.
        bytes: u64,
    },
    /// Every stored model.
    Models(Models),
    /// A stored model's file, posted as the message's second element.
    Exported {
        /// Name to save it under.
        file: String,
    },
    /// What a file says of itself.
    Inspected(Inspected),
    /// An operation ended with an error; the worker goes on.
    Failed(Failure),
}

/// The engine build that answers, as the worker itself sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// Name of the running backend, e.g. `cpu-simd`.
    pub backend: String,
    /// Why this backend runs, one sentence.
    pub reason: String,
    /// Name of the wasm build: `simd128`, `relaxed-simd`, or one of them followed by `, threads`.
    pub variant: String,
    /// Most threads that this engine can compute on here; 1 where a build shares no memory.
    pub threads: u32,
    /// Whether the origin's private file system can be used.
    pub storage: bool,
    /// The GPU that the worker itself found.
    pub gpu: Gpu,
}

/// The outcome of asking for a GPU adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gpu {
    /// None, and why; half a sentence, such as "this browser found no adapter".
    None(String),
    /// An adapter.
    Adapter {
        /// Its own name; never empty.
        name: String,
        /// Whether it is a program on the processor, not a GPU.
        software: bool,
    },
}

/// A model to load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Where its bytes come from.
    pub source: Source,
    /// Positions the KV cache is allocated for; cut to what the model was trained on, and to what memory holds.
    pub context: u32,
    /// Which backend is asked for.
    pub backend: Preference,
    /// The GPU kernels' variant to use, such as `workgroup-float-64x1`, instead of measuring which is fastest.
    pub variant: Option<String>,
    /// Threads to compute on; 0 for as many as are good here.
    pub threads: u32,
    /// Of the processor's activations while it reads what the model did not say itself.
    pub reading: Precision,
    /// Whether an earlier visit's self-check on the same adapter, build and model may stand in for a new one.
    pub remember: bool,
}

/// Where a model's bytes come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// Same-origin download, kept in the origin's private file system once its hash is right.
    Url {
        /// Address, relative to the page.
        url: String,
        /// File name to show and to store under.
        file: String,
        /// Expected size in bytes.
        bytes: u64,
        /// Expected SHA-256, lower-case hex.
        sha256: String,
    },
    /// A file the visitor picked, posted with the message; or all files of a model that comes in several.
    File {
        /// Name of the first, for messages.
        file: String,
        /// Whether to keep it in this browser.
        keep: bool,
    },
    /// A model that is stored already.
    Stored {
        /// Its name in storage.
        id: String,
    },
}

/// A stage of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Bytes arrive over the network.
    Download,
    /// Bytes come from this browser's storage.
    Storage,
    /// A picked file is hashed and copied into this browser's storage.
    Keep,
    /// Tensors are repacked for the kernels, or sent to the GPU.
    Pack,
    /// The GPU's kernels are compiled; counts kernels, not bytes.
    Compile,
    /// The GPU is checked against the processor and both are timed; counts steps, not bytes.
    Check,
}

/// Where a load stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadProgress {
    /// The stage it is in.
    pub stage: Stage,
    /// Bytes done in this stage.
    pub done: u64,
    /// Bytes of the whole stage.
    pub total: u64,
    /// When, ms since the Unix epoch.
    pub at_ms: f64,
}

/// A model that is ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// Name from the file's metadata, or the file's name.
    pub name: String,
    /// Architecture, e.g. `llama`.
    pub architecture: String,
    /// Weights, counted from the tensors' shapes.
    pub parameters: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Positions in the KV cache.
    pub context: u32,
    /// Why these are fewer than were asked for, where memory is short.
    pub lowered: Option<Lowered>,
    /// Layers.
    pub layers: u32,
    /// Bytes of keys and values that a token takes in the cache, in 16 bits.
    pub kv_bytes_per_token: u64,
    /// Threads that compute on the processor.
    pub threads: u32,
    /// Entries of the vocabulary.
    pub vocabulary: u32,
    /// Tensor types with the bytes each takes in the file, largest first, e.g. `("Q4_1", 66_355_200)`.
    pub quantization: Vec<(String, u64)>,
    /// How conversations are put to it.
    pub chat: ChatFormat,
    /// Whether the bytes came from this browser's storage.
    pub from_storage: bool,
    /// Its name in storage, where it is stored now.
    pub stored: Option<String>,
    /// Why it is not, where it was to be kept; half a sentence.
    pub not_kept: Option<String>,
    /// The numbers that its memory follows from.
    pub needs: Needs,
    /// The whole load, ms, measured.
    pub load_ms: f64,
    /// Size of the engine's wasm memory, bytes, measured.
    pub memory_bytes: u64,
    /// Bytes of the GPU buffers, as allocated; 0 on the processor.
    pub gpu_memory_bytes: u64,
    /// Which backend computes, and why.
    pub backend: Report,
}

/// Another backend goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// The answer that was under way.
    pub id: Option<u32>,
    /// The backend that goes on; its reason says what happened.
    pub backend: Report,
    /// When, ms since the Unix epoch.
    pub at_ms: f64,
}

/// A conversation to answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generate {
    /// Chosen by the page; comes back in every message about this answer.
    pub id: u32,
    /// The conversation so far, oldest first; the last message is the one to answer.
    pub messages: Vec<Message>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Whether the model is to think first, where that can be switched; `None` leaves it to the template.
    pub thinking: Option<bool>,
    /// Most tokens to answer with.
    pub max_tokens: u32,
    /// Texts that end the answer; not part of it.
    pub stop: Vec<String>,
    /// Time zero: when the visitor asked, ms since the Unix epoch.
    pub asked_ms: f64,
}

/// How far the prompt is read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prefill {
    /// The answer it belongs to.
    pub id: u32,
    /// Prompt tokens that were in the KV cache already.
    pub reused: u32,
    /// Prompt tokens read, the reused ones included.
    pub done: u32,
    /// Prompt tokens in all.
    pub total: u32,
    /// When, ms since the Unix epoch.
    pub at_ms: f64,
}

/// One token of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// The answer it belongs to.
    pub id: u32,
    /// Position in the answer, from 0.
    pub index: u32,
    /// Entry of the vocabulary.
    pub token: u32,
    /// Text that became complete with it; may be empty in the middle of a character.
    pub text: String,
    /// When it was chosen, ms since the Unix epoch, on the worker's clock.
    pub at_ms: f64,
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FinishReason {
    /// The model ended its turn.
    EndOfTurn,
    /// A stop string came up.
    StopString,
    /// The token budget is spent.
    Budget,
    /// The context is full.
    ContextFull,
    /// The visitor stopped it.
    Aborted,
}

/// How a generation went. All times measured in the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// The answer it belongs to.
    pub id: u32,
    /// Why it ended.
    pub reason: FinishReason,
    /// Text held back until now (the tail of a possible stop string, an unfinished character).
    pub text: String,
    /// Prompt tokens, reused ones included.
    pub prompt_tokens: u32,
    /// Prompt tokens that were in the KV cache already.
    pub reused_tokens: u32,
    /// Tokens chosen, the one that ended the turn included.
    pub tokens: u32,
    /// From the visitor's request to the first token, ms.
    pub ttft_ms: Option<f64>,
    /// Time spent reading the prompt, ms.
    pub prefill_ms: f64,
    /// Time from first to last token, ms.
    pub decode_ms: f64,
    /// From the visitor's request to the end, ms.
    pub total_ms: f64,
    /// Size of the engine's wasm memory, bytes; it never shrinks, so this is the peak.
    pub memory_bytes: u64,
}

/// The operation that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Starting the worker.
    Start,
    /// Loading a model.
    Load,
    /// Answering.
    Generate,
    /// Measuring the speed.
    Bench,
    /// Measuring the processor.
    Probe,
    /// Measuring how long answers take.
    Measure,
    /// Removing stored models.
    Forget,
    /// Listing, exporting or looking into models.
    Store,
    /// Understanding a message.
    Message,
}

/// The kind of an error, for the page to choose what to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The server did not give the file: not there, refused, or the connection broke.
    Network,
    /// The bytes are not those of the catalogue (size or hash).
    Altered,
    /// The file is not a model this engine can run.
    BadModel,
    /// The prompt cannot be answered as it is (empty, longer than the context).
    BadPrompt,
    /// This browser's storage refused.
    Storage,
    /// Out of memory.
    Memory,
    /// The GPU failed; the processor takes over with the next request.
    Backend,
    /// Another operation is running.
    Busy,
    /// The visitor ended it.
    Aborted,
    /// A defect of ours; the worker is restarted.
    Internal,
}

/// An operation's error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The operation that failed.
    pub operation: Operation,
    /// The answer it belongs to, when it was a generation.
    pub id: Option<u32>,
    /// The kind of error.
    pub kind: FailureKind,
    /// A sentence that names the thing, the cause and what to do; plain text.
    pub message: String,
}
