// The worker by itself: the protocol spoken by hand, with messages that no page of ours would send.
import { expect, test } from "./lib/fixtures.mjs";

/** Starts a worker in the page and sends it `sent`; resolves with what it answers, `count` messages in all. */
function talk(page, sent, count, query = "") {
  return page.evaluate(
    ([data, wanted, query]) =>
      new Promise((resolve) => {
        const answers = [];
        const worker = new Worker(`worker.js${query}`, { type: "module" });
        worker.addEventListener("message", (event) => {
          const first = answers.length === 0;
          answers.push(...event.data.filter((part) => typeof part === "string").map((json) => JSON.parse(json)));
          if (first) {
            for (const message of data) {
              worker.postMessage(message);
            }
          }
          if (answers.length >= wanted) {
            worker.terminate();
            resolve(answers);
          }
        });
      }),
    [sent, count, query],
  );
}

const SAMPLING = {
  temperature: 0,
  top_k: 0,
  top_p: 1,
  min_p: 0,
  repetition_penalty: 1,
  seed: 1,
};

function generate(id) {
  const messages = [{ role: "user", content: "Hello" }];
  const ask = { id, messages, sampling: SAMPLING, max_tokens: 8, stop: [], asked_ms: 0 };
  return [JSON.stringify({ Generate: ask })];
}

test.beforeEach(async ({ page }) => {
  await page.goto("/");
});

test("the worker says what it is before anything else", async ({ page }) => {
  const [first] = await talk(page, [], 1);
  expect(first.Ready).toMatchObject({ backend: "cpu-simd", variant: "simd128", threads: 1, storage: true });
  expect(first.Ready.reason.length).toBeGreaterThan(20);
});

for (const [engine, variant] of [
  ["engine-relaxed", "relaxed-simd"],
  ["engine-simd128-threads", "simd128, threads"],
  ["engine-relaxed-threads", "relaxed-simd, threads"],
  // Not one of ours, so never imported.
  ["../worker", "simd128"],
]) {
  test(`the worker that is asked for ${engine} is ${variant}`, async ({ page }) => {
    const [first] = await talk(page, [], 1, `?engine=${engine}`);
    const cores = await page.evaluate(() => navigator.hardwareConcurrency);
    const threads = variant.endsWith("threads") ? cores : 1;
    expect(first.Ready).toMatchObject({ variant, threads });
  });
}

test("a message that is no request is answered, and the worker goes on", async ({ page }) => {
  const hostile = [[], ["{"], ['"Explode"'], [JSON.stringify({ Load: { context: -1 } })], ["[".repeat(50_000)]];
  const answers = await talk(page, [...hostile, generate(3)], hostile.length + 2);
  for (const answer of answers.slice(1, -1)) {
    expect(answer.Failed).toMatchObject({ operation: "Message", id: null });
    expect(answer.Failed.message).toContain("could not be understood");
  }
  expect(answers.at(-1).Failed).toMatchObject({ operation: "Generate", id: 3, kind: "BadModel" });
  expect(answers.at(-1).Failed.message).toContain("no model is loaded");
});

test("one operation at a time", async ({ page }) => {
  const answers = await talk(page, [['"ForgetModels"'], generate(4), ['"Abort"']], 3);
  const busy = answers.find((answer) => answer.Failed);
  expect(busy.Failed).toMatchObject({ operation: "Generate", id: 4, kind: "Busy" });
  expect(answers.some((answer) => answer.Forgotten)).toBe(true);
});

test("nothing is fetched from another site", async ({ page }) => {
  const source = { url: "https://example.com/m.gguf", file: "m.gguf", bytes: 10, sha256: "0".repeat(64) };
  const load = [JSON.stringify({ Load: { source: { Url: source }, context: 64, backend: "Cpu", variant: null, threads: 0, reading: "Eight", remember: false } })];
  const answers = await talk(page, [load], 2);
  expect(answers[1].Failed).toMatchObject({ operation: "Load", kind: "Network" });
  expect(answers[1].Failed.message).toContain("https://example.com/m.gguf is not on this site");
});

/** Tokens of one drawn answer of the real model, computed by this build on so many threads. */
function drawn(page, engine, threads) {
  return page.evaluate(
    async ([engine, threads, sampling]) => {
      const [model] = await (await fetch("models/catalogue.json")).json();
      const worker = new Worker(`worker.js?engine=${engine}`, { type: "module" });
      const { url, file, bytes, sha256 } = model;
      const load = { source: { Url: { url, file, bytes, sha256 } }, context: 512, backend: "Cpu", variant: null, remember: false, reading: "Eight", threads };
      const messages = [{ role: "user", content: "Tell me about the sea, the sky and the land." }];
      const ask = { id: 1, messages, sampling, max_tokens: 64, stop: [], asked_ms: 0 };
      const tokens = [];
      await new Promise((resolve, reject) => {
        worker.addEventListener("error", reject);
        const receive = (message) => {
          if (message.Ready) worker.postMessage([JSON.stringify({ Load: load })]);
          if (message.Loaded) worker.postMessage([JSON.stringify({ Generate: ask })]);
          if (message.Token) tokens.push(message.Token.token);
          if (message.Failed) reject(new Error(message.Failed.message));
          if (message.Finished) resolve();
        };
        worker.addEventListener("message", ({ data }) => {
          for (const part of data) if (typeof part === "string") receive(JSON.parse(part));
        });
      });
      worker.terminate();
      return tokens;
    },
    [engine, threads, { ...SAMPLING, temperature: 1.5, seed: 7 }],
  );
}

test("every build draws the same tokens of the real model, on any number of threads", async ({ page }) => {
  const want = await drawn(page, "engine-simd128", 1);
  expect(want.length).toBeGreaterThan(20);
  for (const [engine, threads] of [["engine-relaxed", 1], ["engine-simd128-threads", 2], ["engine-relaxed-threads", 2], ["engine-relaxed-threads", 3]]) {
    expect(await drawn(page, engine, threads), `${engine}, ${threads}`).toEqual(want);
  }
});
