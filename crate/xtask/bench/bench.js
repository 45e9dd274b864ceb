// Two engines in one tab, one after the other, timed the same way: by when tokens arrive on the page.
import { Wllama } from "/wllama/esm/index.js";

/** Ours: the worker and the messages that the page uses. */
class Nibble {
  async load(model, context) {
    this.worker = new Worker("/dist/worker.js", { type: "module" });
    await this.next("Ready");
    const begin = performance.now();
    const { file, bytes, sha256 } = model;
    const source = { Url: { url: `/dist/${model.url}`, file, bytes, sha256 } };
    this.post({ Load: { source, context } });
    await this.next("Loaded");
    return performance.now() - begin;
  }

  async answer(messages, maxTokens) {
    const sampling = { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1, seed: 1 };
    this.id = (this.id ?? 0) + 1;
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
    return { text: text + finished.text, prompt: finished.prompt_tokens, reused: finished.reused_tokens, times };
  }

  post(message) {
    this.worker.postMessage([JSON.stringify(message)]);
  }

  /** The next message of a kind; `each` sees all until then. A failure is an error. */
  next(kind, each = () => {}) {
    return new Promise((resolve, reject) => {
      this.worker.onerror = (event) => reject(new Error(`worker: ${event.message}`));
      this.worker.onmessage = ({ data }) => {
        const message = JSON.parse(data[0]);
        if (message.Failed) {
          reject(new Error(`nibble: ${message.Failed.message}`));
        } else if (message[kind]) {
          resolve(message[kind]);
        } else {
          each(message);
        }
      };
    });
  }
}

/** The peer: llama.cpp compiled to WebAssembly. */
class Peer {
  async load(model, context) {
    this.wllama = new Wllama({ default: "/wllama/esm/wasm/wllama.wasm" }, { suppressNativeLog: true });
    const begin = performance.now();
    const blob = await (await fetch(`/dist/${model.url}`)).blob();
    // No layer on a GPU, one thread: what one processor core does in a tab, as on our side.
    await this.wllama.loadModel([blob], { n_ctx: context, n_threads: 1, n_gpu_layers: 0 });
    if (this.wllama.isMultithread()) {
      throw new Error("wllama took more than one thread");
    }
    return performance.now() - begin;
  }

  async answer(messages, maxTokens) {
    const times = [performance.now()];
    let text = "";
    let timings;
    const asked = { messages, max_tokens: maxTokens, temperature: 0, top_k: 1, cache_prompt: false };
    const stream = await this.wllama.createChatCompletion({ ...asked, timings_per_token: true, stream: true });
    for await (const chunk of stream) {
      const piece = chunk.choices?.[0]?.delta?.content;
      timings = chunk.timings ?? timings;
      if (piece) {
        times.push(performance.now());
        text += piece;
      }
    }
    return { text, prompt: timings.prompt_n + timings.cache_n, reused: timings.cache_n, times, timings };
  }
}

const engines = { nibble: new Nibble(), wllama: new Peer() };

/** Loads both; gives ms each. */
window.load = async (model, context) => {
  const ms = {};
  for (const [name, engine] of Object.entries(engines)) {
    ms[name] = await engine.load(model, context);
  }
  return ms;
};

/** One answer by one engine: rates in tokens a second, its text, and what it counted. */
window.measure = async (name, job) => {
  // Reading something else first, so that nothing of the prompt is in the cache.
  await engines[name].answer(job.before, 1);
  const { text, prompt, reused, times, timings } = await engines[name].answer(job.messages, job.maxTokens);
  const [asked, first] = times;
  const last = times.at(-1);
  const decoded = times.length - 2;
  return {
    text,
    prompt,
    reused,
    tokens: times.length - 1,
    prefill: (1000 * (prompt - reused)) / (first - asked),
    decode: (1000 * decoded) / (last - first),
    own: timings && { prefill: timings.prompt_per_second, decode: timings.predicted_per_second },
  };
};
