// Prints one line for each build of a built site: its name, a SHA-256 over the tokens of ten greedy answers and one over
// their texts, and how many tokens there are. Two commits that print the same compute the same.
//
//   node tests/e2e/ids.mjs [--dist DIR] [--model FILE] [--builds A,B] [--gpu] [--nibble PROGRAM] [--tokens N] [--ids]
//
// It speaks to the site's worker by the protocol's messages alone, so the site may be another commit's. --gpu adds
// WebGPU on SwiftShader, whose kernels are fixed (--variant) since another choice may round otherwise; --nibble adds the
// native program, which prints no tokens: its texts are compared. --ids adds each answer's tokens.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { adapterArgs, launchOptions } from "./browser.mjs";
import { PROMPTS } from "./lib/agreement.mjs";

const ROOT = path.join(import.meta.dirname, "../..");

const { values: options } = parseArgs({
  options: {
    dist: { type: "string", default: path.join(ROOT, "dist") },
    model: { type: "string", default: path.join(ROOT, "models/SmolLM2-135M-Instruct.Q4_1.gguf") },
    builds: { type: "string", default: "engine-simd128,engine-relaxed,engine-simd128-threads,engine-relaxed-threads" },
    gpu: { type: "boolean", default: false },
    variant: { type: "string", default: "workgroup-float-64x1x1" },
    nibble: { type: "string" },
    tokens: { type: "string", default: "48" },
    ids: { type: "boolean", default: false },
  },
});

const TOKENS = Number(options.tokens);

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };

/** Serves the site, the model and an empty page, with the headers that allow shared memory. Gives the server. */
function serve() {
  const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (pathname === "/empty") {
      response.writeHead(200, { ...headers, "content-type": "text/html" }).end("<!doctype html>");
      return;
    }
    const file = pathname === "/model.gguf" ? options.model : path.join(options.dist, path.normalize(pathname));
    if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404, headers).end();
      return;
    }
    const type = TYPES[path.extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { ...headers, "content-type": type, "content-length": fs.statSync(file).size });
    fs.createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** In the page: loads the model into a worker of this build and answers every prompt alone. */
function inPage({ build, load, prompts, tokens }) {
  const worker = new Worker(`/worker.js?engine=${build}`, { type: "module" });
  const sampling = { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1, seed: 1 };
  const answers = [];
  const post = (message) => worker.postMessage([JSON.stringify(message)]);
  const ask = () => {
    const id = answers.length;
    const messages = [{ role: "user", content: prompts[id] }];
    answers.push({ ids: [], text: "" });
    post({ Generate: { id, messages, sampling, max_tokens: tokens, stop: [], asked_ms: 0 } });
  };
  return new Promise((resolve, reject) => {
    let loaded;
    const receive = (message) => {
      if (message.Ready) post({ Load: load });
      if (message.Loaded) {
        loaded = message.Loaded;
        window.progress(`loaded in ${Math.round(loaded.load_ms)} ms`);
        ask();
      }
      if (message.Token) {
        answers.at(-1).ids.push(message.Token.token);
        answers.at(-1).text += message.Token.text;
      }
      if (message.Failed) reject(new Error(message.Failed.message));
      if (message.Moved) reject(new Error(message.Moved.backend.reason));
      if (message.Finished) {
        answers.at(-1).text += message.Finished.text;
        window.progress(`${answers.length} of ${prompts.length} answered`);
        if (answers.length < prompts.length) ask();
        else resolve({ backend: loaded.backend, threads: loaded.threads, answers });
      }
    };
    worker.addEventListener("error", (event) => reject(new Error(event.message ?? "the worker could not start")));
    worker.addEventListener("message", ({ data }) => {
      for (const part of data) if (typeof part === "string") receive(JSON.parse(part));
    });
  }).finally(() => worker.terminate());
}

/** The answers of one build in a browser of its own. */
async function inBrowser(url, build, onGpu) {
  const bytes = fs.statSync(options.model).size;
  const sha256 = createHash("sha256").update(fs.readFileSync(options.model)).digest("hex");
  const source = { Url: { url: "/model.gguf", file: "model.gguf", bytes, sha256 } };
  const chosen = onGpu ? { backend: "Gpu", variant: options.variant } : { backend: "Cpu", variant: null };
  const load = { source, context: 512, ...chosen, threads: 0, reading: "Eight", remember: false };
  const args = [...launchOptions.args, ...adapterArgs(onGpu ? "swiftshader" : "none")];
  const browser = await chromium.launch({ ...launchOptions, args });
  try {
    const page = await browser.newPage();
    // A software adapter takes minutes.
    await page.exposeFunction("progress", (text) => console.error(`    ${text}`));
    await page.goto(`${url}/empty`);
    const result = await page.evaluate(inPage, { build, load, prompts: PROMPTS, tokens: TOKENS });
    const { backend, threads, answers } = result;
    if (backend.name.startsWith("webgpu") !== onGpu) {
      throw new Error(`${backend.name} runs: ${backend.reason}`);
    }
    return { about: onGpu ? `${backend.name}, ${backend.variant}` : `${backend.name}, threads: ${threads}`, answers };
  } finally {
    await browser.close();
  }
}

/** The answers of the native program, which tells their text and how many tokens they have. */
function natively() {
  const ask = (prompt) => {
    const asked = ["run", "--json", "--model", options.model, "--max-tokens", options.tokens, "--prompt", prompt];
    return JSON.parse(execFileSync(options.nibble, asked, { encoding: "utf8" }));
  };
  const told = PROMPTS.map(ask);
  const answers = told.map(({ answer, tokens }) => ({ ids: null, count: tokens, text: answer }));
  return { about: told[0].backend.name, answers };
}

const hash = (lines) => createHash("sha256").update(lines.join("\n")).digest("hex");

function print(name, { about, answers }) {
  const counted = answers.map(({ ids, count }) => count ?? ids.length).reduce((sum, count) => sum + count);
  const ids = answers[0].ids ? hash(answers.map((answer) => answer.ids.join(","))) : "-";
  const texts = hash(answers.map(({ text }) => JSON.stringify(text)));
  console.log(`${name}  ids ${ids}  texts ${texts}  ${counted} tokens  (${about})`);
  if (options.ids) {
    for (const [index, answer] of answers.entries()) {
      console.log(`  ${index + 1}: ${answer.ids?.join(" ") ?? JSON.stringify(answer.text)}`);
    }
  }
}

const server = await serve();
const url = `http://127.0.0.1:${server.address().port}`;
try {
  for (const build of options.builds.split(",").filter(Boolean)) {
    print(build, await inBrowser(url, build, false));
  }
  if (options.gpu) {
    print("webgpu", await inBrowser(url, "engine-simd128-threads", true));
  }
  if (options.nibble) {
    print("native", natively());
  }
} finally {
  server.close();
}
