// One engine in one tab, driven through its public interface and timed on the page's clock by when tokens arrive.
import { read } from "./bandwidth.js";
import { Wllama } from "/wllama/esm/index.js";

/** Ours: the worker and the messages that the page uses. */
class Nibble {
  constructor({ build, threads }) {
    this.build = build;
    this.threads = threads;
    this.id = 0;
  }

  /** Starts the worker; ms until it says that it runs, and what it says. */
  async start() {
    const begin = performance.now();
    this.worker = new Worker(`/dist/worker.js?engine=${this.build}`, { type: "module" });
    const ready = await this.next("Ready");
    return { start_ms: performance.now() - begin, ready };
  }

  /** ms from asking to being able to answer, and whether the bytes came from storage. */
  async load({ url, file, bytes, sha256 }, context) {
    const begin = performance.now();
    const source = { Url: { url, file, bytes, sha256 } };
    this.post({ Load: { source, context, backend: "Cpu", variant: null, reading: "Eight", remember: false, threads: this.threads } });
    const { from_storage: stored } = await this.next("Loaded");
    return { load_ms: performance.now() - begin, stored };
  }

  async forget() {
    this.post("ForgetModels");
    await this.next("Forgotten");
  }

  async answer(messages, maxTokens) {
    const sampling = { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1, seed: 1 };
    this.id += 1;
    const asked = { id: this.id, messages, sampling, max_tokens: maxTokens, stop: [] };
    const times = [performance.now()];
    this.post({ Generate: { ...asked, asked_ms: performance.timeOrigin + times[0] } });
    let text = "";
    const finished = await this.next("Finished", ({ Token: token }) => {
      if (token) {
        times.push(performance.now());
        text += token.text;
      }
    });
    const { prompt_tokens: prompt, reused_tokens: reused, memory_bytes: memory } = finished;
    return { text: text + finished.text, prompt, reused, memory, times };
  }

  /** The worker's own measurement, without the page. */
  async bench(asked) {
    this.post({ Bench: asked });
    return this.next("Benched");
  }

  stop() {
    this.worker.terminate();
  }

  post(message) {
    if (this.bell) {
      Atomics.add(this.bell, 0, 1);
    }
    this.worker.postMessage([JSON.stringify(message)]);
  }

  /** The next message of a kind; `each` sees all until then. A failure is an error. */
  next(kind, each = () => {}) {
    return new Promise((resolve, reject) => {
      const fail = (what) => reject(new Error(`nibble (${this.build}): ${what}`));
      this.worker.onerror = (event) => fail(event.message ?? "the worker could not start");
      this.worker.onmessage = ({ data }) => {
        this.bell ??= data.find((part) => part instanceof Int32Array);
        for (const message of data.filter((part) => typeof part === "string").map((json) => JSON.parse(json))) {
          if (message.Failed) {
            fail(message.Failed.message);
          } else if (message[kind]) {
            resolve(message[kind]);
          } else {
            each(message);
          }
        }
      };
    });
  }
}

/** The peer: llama.cpp compiled to WebAssembly. */
class Peer {
  constructor({ threads }) {
    this.threads = threads;
  }

  /** Its worker starts with the model. */
  async start() {
    this.wllama = new Wllama({ default: "/wllama/esm/wasm/wllama.wasm" }, { suppressNativeLog: true });
    return { start_ms: 0, ready: null };
  }

  async load({ url, bytes }, context) {
    const begin = performance.now();
    const stored = (await this.wllama.modelManager.getModels()).some((model) => model.size === bytes);
    // No layer on a GPU, and one conversation at a time, as on our side.
    const asked = { n_ctx: context, n_threads: this.threads, n_gpu_layers: 0, n_parallel: 1 };
    await this.wllama.loadModelFromUrl(new URL(url, location.href).href, asked);
    const load_ms = performance.now() - begin;
    const threads = this.wllama.getNumThreads();
    if (threads !== this.threads || this.wllama.isMultithread() !== threads > 1) {
      throw new Error(`wllama runs on ${threads} threads, not on ${this.threads}`);
    }
    return { load_ms, stored };
  }

  async forget() {
    await this.wllama.modelManager.clear();
  }

  async answer(messages, maxTokens, prompt) {
    const times = [performance.now()];
    let text = "";
    let timings;
    const how = { max_tokens: maxTokens, temperature: 0, top_k: 1, cache_prompt: false };
    const asked = { ...how, timings_per_token: true, stream: true };
    const stream = prompt
      ? await this.wllama.createCompletion({ ...asked, prompt })
      : await this.wllama.createChatCompletion({ ...asked, messages });
    for await (const chunk of stream) {
      const choice = chunk.choices?.[0];
      const piece = prompt ? choice?.text : choice?.delta?.content;
      timings = chunk.timings ?? timings;
      if (piece) {
        times.push(performance.now());
        text += piece;
      }
    }
    const { prompt_n: read, cache_n: reused } = timings;
    return { text, prompt: read + reused, reused, times, own: timings };
  }

  async stop() {
    await this.wllama.exit();
  }
}

let engine;

const make = (about) => (about.maker === "nibble" ? new Nibble(about) : new Peer(about));

/** What `load` begins with: storage that holds nothing of the engine's. */
async function emptied(about) {
  const fresh = make(about);
  const { start_ms } = await fresh.start();
  await fresh.forget();
  return { fresh, start_ms };
}

const tasks = {
  /** The engine that this tab is for, loaded. */
  async open({ engine: about, model, context }) {
    engine = make(about);
    const { start_ms, ready } = await engine.start();
    return { start_ms, ready, ...(await engine.load(model, context)) };
  },

  /** Nothing stored: fetched, kept, loaded. Then a new engine, from storage, up to its first token. */
  async load({ engine: about, model, context, messages, text: written }) {
    const { fresh, start_ms } = await emptied(about);
    const cold = await fresh.load(model, context);
    await fresh.stop();
    const again = make(about);
    await again.start();
    const begin = performance.now();
    const cached = await again.load(model, context);
    const { times, prompt } = await again.answer(messages, 1, written);
    await again.stop();
    if (cold.stored || !cached.stored) {
      throw new Error(`${about.id}: the file came from storage the first time, or not the second`);
    }
    const { load_ms: cold_ms } = cold;
    return { start_ms, cold_ms, cached_ms: cached.load_ms, first_ms: times[1] - begin, prompt };
  },

  /** One answer: rates in tokens a second, its text, and what was counted. */
  async answer({ before, messages, text: written, maxTokens }) {
    // Reading something else first, so that nothing of the prompt is in the cache.
    await engine.answer(before, 1, written && before[0].content);
    const { text, prompt, reused, memory, times, own } = await engine.answer(messages, maxTokens, written);
    const [asked, first] = times;
    const decoded = times.length - 2;
    return {
      text,
      prompt,
      memory,
      own,
      tokens: times.length - 1,
      first_ms: first - asked,
      prefill: (1000 * (prompt - reused)) / (first - asked),
      decode: decoded > 0 ? (1000 * decoded) / (times.at(-1) - first) : null,
    };
  },

  bench: (asked) => engine.bench(asked),

  /** Read bandwidth in WebAssembly, bytes a second. */
  bandwidth: read,
};

window.run = (task, job) => tasks[task](job);
