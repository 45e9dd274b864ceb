// Which build of the engine runs, on how many threads, and what happens where one of them cannot.
import { expect, test } from "./lib/fixtures.mjs";
import { messages } from "./lib/instrument.mjs";
import { answer, ask, choose, expectReady, expectUsable, last, load, open, problem } from "./lib/page.mjs";
import { startProxy } from "./lib/proxy.mjs";

/** The engine starts so many unasked, at most. */
const UNASKED = 8;

const proxied = test.extend({
  between: async ({ baseURL }, use) => {
    const proxy = await startProxy(baseURL);
    await use(proxy);
    await proxy.close();
  },
});

/** What the page's probe returns where relaxed SIMD's dot product is one instruction, and where it is several. */
const [ONE, SEVERAL] = [-130_560, -65_536];

/** Lets this processor look like another to the page's probe. */
const dot = (page, answer) =>
  page.addInitScript((answer) => {
    const { Instance } = WebAssembly;
    WebAssembly.Instance = function (module, imports) {
      const probe = WebAssembly.Module.exports(module).some(({ name }) => name === "dot");
      return probe ? { exports: { dot: () => answer } } : new Instance(module, imports);
    };
  }, answer);

const fileOf = (request) => request.url.split("?")[0].split("/").at(-1);

async function expectBuild(page, name, threads, why) {
  const build = page.getByTestId("engine-build");
  await expect(build).toHaveAttribute("data-value", name);
  await expect(build).toContainText(why);
  expect((await last(page, "Loaded")).threads).toBe(threads);
}

test("an isolated page runs the best build on all cores and says so, from storage too", async ({ page }) => {
  await dot(page, ONE);
  await open(page);
  const cores = await page.evaluate(() => navigator.hardwareConcurrency);
  test.skip(cores < 2, "one core");
  const threads = Math.min(cores, UNASKED);
  for (const stored of ["false", "true"]) {
    await load(page);
    await expect(page.getByTestId("model-status")).toHaveAttribute("data-storage", stored);
    await expectBuild(page, "engine-relaxed-threads", threads, "this browser has both");
    const [ready] = await messages(page, "worker", "Ready");
    expect(ready.body).toMatchObject({ variant: "relaxed-simd, threads", threads: cores });
    await expect(page.getByTestId("device-relaxed-simd")).toHaveAttribute("data-mark", "Used");
    await expect(page.getByTestId("device-threads")).toContainText(`${threads} of ${cores}`);
    await expectUsable(page);
    await page.reload();
  }
});

test("where relaxed SIMD's dot product is several instructions plain SIMD runs, and the page says why", async ({ page }) => {
  await dot(page, SEVERAL);
  await open(page);
  const cores = await page.evaluate(() => navigator.hardwareConcurrency);
  test.skip(cores < 2, "one core");
  await load(page);
  await expectBuild(page, "engine-simd128-threads", Math.min(cores, UNASKED), "relaxed SIMD would be slower");
  await expect(page.getByTestId("device-relaxed-simd")).toHaveAttribute("data-mark", "Unused");
  await expect(page.getByTestId("device-relaxed-simd")).toContainText("slow on this processor");
  await expectUsable(page);
});

test("the page's probe tells this processor's dot product", async ({ page }) => {
  const answers = [];
  await page.exposeFunction("told", (answer) => answers.push(answer));
  await page.addInitScript(() => {
    const { Instance } = WebAssembly;
    WebAssembly.Instance = function (module, imports) {
      const instance = new Instance(module, imports);
      if (instance.exports.dot) {
        window.told(instance.exports.dot());
      }
      return instance;
    };
  });
  await open(page);
  await expect.poll(() => answers.length).toBeGreaterThan(0);
  // In pairs that saturate; four at once; or, on ARM, both sides signed.
  expect([SEVERAL, ONE, 512]).toContain(answers[0]);
  const build = page.getByTestId("engine-build");
  await expect(build).toHaveAttribute("data-value", answers[0] === SEVERAL ? /^engine-simd128/ : /^engine-relaxed/);
});

test("the same seed gives the same text on one thread and on two", async ({ page }) => {
  await open(page);
  const settings = { "max-tokens": 32, temperature: 1.2, "top-k": 0, "top-p": 1, seed: 7 };
  const texts = [];
  for (const threads of [1, 2]) {
    await choose(page, "chat", settings);
    await page.getByTestId("threads").selectOption(String(threads));
    if (threads === 1) {
      await load(page);
    } else {
      await expect(page.getByTestId("load-again")).toHaveText("Load with 2 threads");
      await page.getByTestId("load-again").click();
      await expectReady(page);
    }
    await expect(page.getByTestId("engine-build")).toContainText(threads === 1 ? "one thread" : "2 threads");
    expect((await last(page, "Loaded")).threads).toBe(threads);
    texts.push((await ask(page, "Tell me about the sea.")).text);
    await page.getByTestId("new-chat").click();
  }
  expect(texts[0].length).toBeGreaterThan(20);
  expect(texts[1]).toBe(texts[0]);
});

proxied("a page that is not isolated runs on one thread and says why", async ({ page, between: proxy }) => {
  proxy.rule = () => ({ without: ["cross-origin-opener-policy", "cross-origin-embedder-policy"] });
  await dot(page, ONE);
  await open(page, proxy.url);
  await load(page);
  await expectBuild(page, "engine-relaxed", 1, "not cross-origin isolated");
  await expect(page.getByTestId("device-threads")).toHaveAttribute("data-mark", "Unused");
  await choose(page, "chat");
  await expect(page.getByTestId("threads")).toBeDisabled();
  await expect(page.getByTestId("threads-hint")).toContainText("not cross-origin isolated");
  await expectUsable(page);
  // Without shared memory there is no bell either: the worker looks for Stop after each token.
  await choose(page, "chat", { "max-tokens": 400, temperature: 0 });
  await page.getByTestId("prompt").fill("Write a long story about a lighthouse keeper and his dog.");
  await page.getByTestId("generate").click();
  await expect(page.getByTestId("answer")).not.toBeEmpty();
  await page.getByTestId("stop").click();
  expect((await answer(page)).reason).toBe("aborted");
});

for (const [name, broken, fault, build, threads] of [
  ["is not there", ["engine-relaxed-threads_bg.wasm"], { status: 404 }, "engine-simd128-threads", 2],
  ["is rubbish", ["engine-relaxed-threads_bg.wasm"], { before: "rubbish" }, "engine-simd128-threads", 2],
  [
    "with threads is not there in any form",
    ["engine-relaxed-threads.js", "engine-simd128-threads.js"],
    { status: 404 },
    "engine-relaxed",
    1,
  ],
]) {
  proxied(`a build that ${name} gives way to the next, and the page says why`, async ({ page, between: proxy }) => {
    proxy.rule = (request) => (broken.includes(fileOf(request)) ? fault : undefined);
    await dot(page, ONE);
    await open(page, proxy.url);
    const cores = await page.evaluate(() => navigator.hardwareConcurrency);
    await load(page);
    const why = "the build with relaxed SIMD and threads did not start";
    await expectBuild(page, build, Math.min(threads, cores), why);
    await expectUsable(page);
  });
}

proxied("with no build at all the page says so, and works once there is one", async ({ page, between: proxy }) => {
  proxy.rule = (request) => (fileOf(request).endsWith("_bg.wasm") && fileOf(request).startsWith("engine") ? { status: 503 } : undefined);
  await dot(page, ONE);
  await open(page, proxy.url);
  await page.getByTestId("load-button").click();
  expect(await problem(page)).toMatch(/could not start.*Try again/s);
  proxy.rule = () => undefined;
  await load(page);
  await expect(page.getByTestId("engine-build")).toHaveAttribute("data-value", "engine-relaxed-threads");
});

proxied("threads that cannot be started are done without, and the reason is told", async ({ page, between: proxy }) => {
  proxy.rule = (request) => (fileOf(request) === "thread.js" ? { status: 404 } : undefined);
  await open(page, proxy.url);
  await load(page);
  expect((await last(page, "Loaded")).threads).toBe(1);
  await expect(page.getByTestId("backend-reason")).toContainText("thread.js");
  await expectUsable(page);
});

/** Runs in a thread before its script: its work is to wait for a word from outside, and then to trap. */
function mortal() {
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (module, imports) => {
    const { exports } = await instantiate.call(WebAssembly, module, imports);
    const run_thread = () => {
      const alone = new Int32Array(new SharedArrayBuffer(4));
      for (let status = 404; status === 404; Atomics.wait(alone, 0, 0, 50)) {
        const word = new XMLHttpRequest();
        // Another address each time: an answer may be kept by the browser.
        word.open("GET", `die?${Math.random()}`, false);
        word.send();
        status = word.status;
      }
      throw new WebAssembly.RuntimeError("a test said so");
    };
    return { instance: { exports: { ...exports, run_thread } }, module };
  };
}

proxied("a thread that dies in mid-answer is told, and a fresh engine works", async ({ page, between: proxy }) => {
  let die = false;
  proxy.rule = (request) => {
    if (fileOf(request) === "die") return { status: die ? 410 : 404 };
    // Nothing by which the browser could take this script for the real one afterwards.
    const without = ["etag", "last-modified"];
    return fileOf(request) === "thread.js" ? { before: `(${mortal})();\n`, without } : undefined;
  };
  await open(page, proxy.url);
  await choose(page, "chat", { "max-tokens": 2_000, temperature: 0 });
  await load(page);
  await page.getByTestId("prompt").fill("Write a long story about a lighthouse keeper and his dog.");
  await page.getByTestId("generate").click();
  await page.waitForFunction(() => window.testLog.messages.some((m) => m.message.Token));
  die = true;
  expect(await problem(page)).toMatch(/thread/);
  expect((await answer(page)).reason).toBe("failed");
  proxy.rule = () => undefined;
  await load(page);
  await expectUsable(page);
});
