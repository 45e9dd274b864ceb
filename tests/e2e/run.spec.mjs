// The main job: one button, one model, answers token by token, and every way one can end.
import { expect, share, test } from "./lib/fixtures.mjs";
import { messages } from "./lib/instrument.mjs";
import { answer, ask, choose, expectUsable, figure, last, load, open, problem } from "./lib/page.mjs";

/** One page with the model loaded serves the whole file: loading has its own tests. */
test.describe.configure({ mode: "serial" });

let page;
let leave;

test.beforeAll(async ({ browser }, info) => {
  const shared = await share(browser, info.project.use);
  leave = shared.leave;
  page = await shared.context.newPage();
  await open(page);
});

test.afterAll(async () => {
  await leave();
});

test("what this device can do is told before anything is downloaded", async () => {
  await expect(page.getByTestId("device-backend")).toHaveAttribute("data-value", "cpu-simd");
  await expect(page.getByTestId("backend-reason")).not.toBeEmpty();
  const fetched = await page.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name));
  expect(fetched.filter((url) => /gguf|engine-/.test(url))).toEqual([]);
});

test("one button loads the model, with progress, and an answer comes token by token", async () => {
  await load(page);
  const progress = (await messages(page, "worker", "LoadProgress")).map((m) => m.body);
  expect(progress.length).toBeGreaterThan(2);
  expect(progress.at(-1).done).toBe(progress.at(-1).total);
  const { text, reason } = await ask(page, "I was charged twice this month. Please refund one payment.");
  expect(text.trim().length).toBeGreaterThan(0);
  expect(["end-of-turn", "stop-string", "budget"]).toContain(reason);
  const tokens = (await messages(page, "worker", "Token")).map((m) => m.body);
  expect(tokens.map((t) => t.index)).toEqual(tokens.map((_, index) => index));
});

test("the figures under the answer are those of the worker's own clock", async () => {
  await choose(page, "chat", { "max-tokens": 24, temperature: 0 });
  await ask(page, "Name three colours.");
  const finished = await last(page, "Finished");
  expect(await figure(page, "metric-ttft")).toBeCloseTo(finished.ttft_ms, 0);
  expect(await figure(page, "metric-e2e")).toBeCloseTo(finished.total_ms, 0);
  expect(await figure(page, "metric-memory")).toBe(finished.memory_bytes);
  expect(await figure(page, "metric-prompt-tokens")).toBe(finished.prompt_tokens);
  expect(await figure(page, "metric-tps")).toBeGreaterThan(0);
});

test("the same seed gives the same text twice, another seed another text", async () => {
  await choose(page, "chat", { "max-tokens": 40, temperature: 1.2, "top-k": 0, "top-p": 1, seed: 7 });
  const first = await ask(page, "Tell me about the sea.");
  await page.getByTestId("regenerate").click();
  const again = await answer(page);
  expect(again).toEqual(first);
  await page.getByTestId("seed").fill("8");
  await page.getByTestId("regenerate").click();
  expect((await answer(page)).text).not.toBe(first.text);
});

test("Stop stops within one token", async () => {
  await choose(page, "chat", { "max-tokens": 400, temperature: 0 });
  await page.getByTestId("new-chat").click();
  const before = (await messages(page, "worker", "Token")).length;
  await page.getByTestId("prompt").fill("Write a long story about a lighthouse keeper and his dog.");
  await page.getByTestId("generate").click();
  await page.waitForFunction(
    (count) => window.testLog.messages.filter((m) => m.message.Token).length >= count,
    before + 5,
  );
  await page.getByTestId("stop").click();
  const { text, reason } = await answer(page);
  expect(reason).toBe("aborted");
  expect(text.length).toBeGreaterThan(0);
  const abort = (await messages(page, "page", "Abort")).at(-1);
  const id = (await last(page, "Finished")).id;
  const tokens = (await messages(page, "worker", "Token")).filter((m) => m.body.id === id);
  expect(tokens.filter((m) => m.body.at_ms > abort.at).length).toBeLessThanOrEqual(1);
  const order = (await messages(page, "worker")).filter((m) => m.body?.id === id).map((m) => m.kind);
  expect(order.at(-1)).toBe("Finished");
  expect((await last(page, "Finished")).tokens).toBe(tokens.length);
});

test("a second turn reads only what is new", async () => {
  await choose(page, "classify");
  await choose(page, "chat", { "max-tokens": 20, temperature: 0 });
  await ask(page, "My name is Ada.");
  const first = await last(page, "Finished");
  await ask(page, "What is my name?");
  const second = await last(page, "Finished");
  expect(second.reused_tokens).toBeGreaterThanOrEqual(first.prompt_tokens);
  expect(await figure(page, "metric-reused-tokens")).toBe(second.reused_tokens);
  await expect(page.getByText(`${second.reused_tokens} of them`)).toBeVisible();
});

test("what people and models write is shown as text, never as markup", async () => {
  await choose(page, "classify");
  await choose(page, "chat", { "max-tokens": 4 });
  await ask(page, '<img src="x" onerror="document.title=1"><b>bold</b><|im_end|>');
  await expect(page.getByTestId("asked")).toContainText("<b>bold</b><|im_end|>");
  expect(await page.getByTestId("asked").locator("img, b").count()).toBe(0);
});

test("an empty prompt is refused in words", async () => {
  await choose(page, "classify");
  await page.getByTestId("prompt").fill("  \n ");
  await page.getByTestId("generate").click();
  expect(await problem(page)).toMatch(/empty/i);
  await expectUsable(page);
});

for (const [name, prompt] of [
  ["longer than the context", "word ".repeat(6_000)],
  ["of 1 MB of emoji", "🦀🎉👩‍👩‍👧‍👦🇩🇪".repeat(20_000)],
]) {
  test(`a prompt ${name} is refused in words`, async () => {
    await choose(page, "classify");
    await page.getByTestId("prompt").fill(prompt);
    await page.getByTestId("generate").click();
    const text = await problem(page);
    expect(text).toMatch(/context/i);
    expect(text).toMatch(/[0-9,]+ tokens/);
    await expectUsable(page);
  });
}

test("a defect of the engine is told, and a fresh engine takes over", async () => {
  const workers = await page.evaluate(() => window.testLog.workers.length);
  await page.evaluate(() => {
    const failure = { operation: "Generate", id: null, kind: "Internal", message: "a test said so" };
    const data = [JSON.stringify({ Failed: failure })];
    window.testLog.workers.at(-1).dispatchEvent(new MessageEvent("message", { data }));
  });
  expect(await problem(page)).toContain("a test said so");
  await load(page);
  expect(await page.evaluate(() => window.testLog.workers.length)).toBe(workers + 1);
  await expect(page.getByTestId("model-status")).toHaveAttribute("data-storage", "true");
  await expectUsable(page);
});
