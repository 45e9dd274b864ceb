// With a GPU, here a software adapter: what it must agree on with the processor, and every way it can fail.
import { expect, share, test } from "./lib/fixtures.mjs";
import { breakages, loseDevice, startBroken, withAdapter } from "./lib/gpu.mjs";
import { messages } from "./lib/instrument.mjs";
import { answer, ask, choose, expectReady, expectUsable, figure, last, load, open } from "./lib/page.mjs";

test.use({ launchOptions: withAdapter });
test.setTimeout(600_000);

/** A software adapter writes two tokens a second. */
const PROMPT = "Name three colours.";
const SHORT = { "max-tokens": 24, temperature: 0 };
const SOFTWARE = "webgpu (software)";
/** Without a measurement of which variant is the fastest. */
const QUICK = "workgroup-float-32x1x4";
const MODEL_BYTES = 98_362_432;
const LAYERS = 30;

/** What the processor answers; every GPU must say the same. */
let wanted;

/** Opens the page, asks for a backend and perhaps a variant, and loads. */
async function loadOn(page, backend, { url, variant } = {}) {
  await open(page, url);
  await page.getByTestId("backend-preference").selectOption(backend);
  await choose(page, "chat", variant ? { ...SHORT, "variant-choice": variant } : SHORT);
  await load(page);
}

async function expectBackend(page, name) {
  await expect(page.getByTestId("backend")).toHaveAttribute("data-value", name);
}

/** At most one next token may be a tie that rounding decides. */
async function expectAgreement(page) {
  const agreement = page.getByTestId("check-agreement");
  await expect(agreement).toHaveAttribute("data-tokens", "16");
  expect(Number(await agreement.getAttribute("data-same"))).toBeGreaterThanOrEqual(15);
  expect(await figure(page, "check-difference")).toBeLessThan(0.25);
}

/** The test's page, behind a proxy that breaks the worker's WebGPU. */
const broken = test.extend({
  behind: async ({ baseURL }, use) => {
    const proxies = [];
    await use(async (breakage, argument) => {
      proxies.push(await startBroken(baseURL, breakage, argument));
      return proxies.at(-1).url;
    });
    await Promise.all(proxies.map((proxy) => proxy.close()));
  },
});

test.beforeAll(async ({ browser }, info) => {
  const { context, leave } = await share(browser, info.project.use);
  const page = await context.newPage();
  await loadOn(page, "Cpu");
  wanted = (await ask(page, PROMPT)).text;
  expect(wanted.length).toBeGreaterThan(20);
  await leave();
});

test("the GPU answers as the processor does, in little memory, and says what it costs", async ({ page }) => {
  await loadOn(page, "Gpu");
  await test.step("what runs, and how it was checked", async () => {
    await expectBackend(page, SOFTWARE);
    await expectAgreement(page);
    await expect(page.getByTestId("check-replaced")).toHaveCount(0);
    await expect(page.getByTestId("variant")).toHaveText(/^workgroup-float-|^subgroup-float-/);
    await expect(page.getByTestId("device-webgpu")).toHaveAttribute("data-mark", "Used");
    await expect(page.getByTestId("device-webgpu")).toContainText("software adapter");
    expect(await figure(page, "check-gpu-tps")).toBeGreaterThan(0);
    expect(await figure(page, "check-cpu-tps")).toBeGreaterThan(0);
    const stages = (await messages(page, "worker", "LoadProgress")).map((message) => message.body.stage);
    expect(stages).toEqual(expect.arrayContaining(["Download", "Compile", "Pack", "Check"]));
  });
  await test.step("the same answer", async () => {
    expect((await ask(page, PROMPT)).text).toBe(wanted);
    await expectBackend(page, SOFTWARE);
    await expect(page.getByTestId("moved")).toHaveCount(0);
  });
  await test.step("memory", async () => {
    const loaded = await last(page, "Loaded");
    expect(loaded.memory_bytes).toBeLessThanOrEqual(0.2 * MODEL_BYTES);
    expect(loaded.gpu_memory_bytes).toBeGreaterThan(0.9 * MODEL_BYTES);
    expect(await figure(page, "gpu-memory")).toBe(loaded.gpu_memory_bytes);
  });
  await test.step("what a token costs", async () => {
    await page.getByTestId("bench").locator("summary").click();
    // Shorter than the page itself would ask for.
    const bench = JSON.stringify({ Bench: { prefill: 4, decode: 8, runs: 1 } });
    await page.evaluate((data) => window.testLog.workers.at(-1).postMessage([data]), bench);
    await expect(page.getByTestId("bench-result")).toHaveAttribute("data-backend", SOFTWARE, { timeout: 180_000 });
    await expect(page.getByTestId("bench-result")).toContainText("not a GPU’s speed");
    expect(await figure(page, "bench-dispatches")).toBeLessThanOrEqual(6 * LAYERS + 6);
    expect(await figure(page, "bench-passes")).toBeLessThanOrEqual(1);
    expect(await figure(page, "bench-readback")).toBeLessThanOrEqual(64);
    expect(await figure(page, "bench-copy")).toBeGreaterThan(0);
  });
});

test("Automatic takes the faster one and says why; a second visit remembers", async ({ page }) => {
  await loadOn(page, "Automatic");
  const speeds = [await figure(page, "check-gpu-tps"), await figure(page, "check-cpu-tps")];
  const faster = speeds[0] >= speeds[1] ? SOFTWARE : "cpu-simd";
  await expectBackend(page, faster);
  await expect(page.getByTestId("backend-reason")).toContainText(/faster/);
  for (const speed of speeds) {
    await expect(page.getByTestId("backend-reason")).toContainText(`${speed.toFixed(1)} tokens/s`);
  }
  await expect(page.getByTestId("check-remembered")).toHaveCount(0);
  await page.reload();
  await load(page);
  await expect(page.getByTestId("check-remembered")).toBeVisible();
  expect([await figure(page, "check-gpu-tps"), await figure(page, "check-cpu-tps")]).toEqual(speeds);
  await expectBackend(page, faster);
  await page.getByTestId("check-again").click();
  await expectReady(page);
  await expect(page.getByTestId("check-remembered")).toHaveCount(0);
  await expectUsable(page);
});

test("forgetting the stored models also forgets the self-check; nonsense in its place is nothing", async ({ page }) => {
  const stored = (work) =>
    page.evaluate(async (source) => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle("reports");
      let count = 0;
      for await (const handle of folder.values()) {
        count += 1;
        if (source) {
          const writer = await handle.createWritable();
          await writer.write(source);
          await writer.close();
        }
      }
      return count;
    }, work);
  await loadOn(page, "Automatic");
  expect(await stored()).toBe(1);
  await page.reload();
  await stored('{"name": 1e999, "check": {"tokens": -1}}');
  await load(page);
  await expect(page.getByTestId("check-remembered")).toHaveCount(0);
  await page.reload();
  await page.getByTestId("forget-models").click();
  await expect(page.getByTestId("forgotten")).toContainText("Removed");
  expect(await stored()).toBe(0);
});

broken("a device that is lost in mid-answer leaves the rest of the same answer to the processor", async ({ page, behind }) => {
  await loadOn(page, "Gpu", { url: await behind(breakages.losable), variant: QUICK });
  await page.getByTestId("prompt").fill(PROMPT);
  await page.getByTestId("generate").click();
  await page.waitForFunction(() => window.testLog.messages.filter((m) => m.message.Token).length >= 4, null, {
    timeout: 240_000,
  });
  await loseDevice(page);
  const { text, reason } = await answer(page);
  expect({ text, reason }).toEqual({ text: wanted, reason: "budget" });
  expect((await messages(page, "worker", "Moved")).length).toBe(1);
  const tokens = (await messages(page, "worker", "Token")).map((message) => message.body.index);
  expect(tokens).toEqual(tokens.map((_, index) => index));
  await expect(page.getByTestId("moved")).toContainText(/GPU failed/);
  await expect(page.getByTestId("moved-figures")).toBeVisible();
  await expectBackend(page, "cpu-simd");
  await expect(page.getByTestId("error")).toBeHidden();
  await expectUsable(page);
});

broken("a device that is lost between two answers is noticed at the next one", async ({ page, behind }) => {
  await loadOn(page, "Gpu", { url: await behind(breakages.losable), variant: QUICK });
  await expectBackend(page, SOFTWARE);
  await loseDevice(page);
  expect((await ask(page, PROMPT)).text).toBe(wanted);
  await expect(page.getByTestId("moved")).toBeVisible();
  await expectBackend(page, "cpu-simd");
});

for (const [name, breakage, says] of [
  ["buffers beyond its limits", breakages.beyondLimits, /GPU is not used/],
  ["no memory left", breakages.outOfMemory, /memory/],
]) {
  broken(`a device with ${name} is left for the processor, and the reason told`, async ({ page, behind }) => {
    await loadOn(page, "Gpu", { url: await behind(breakage), variant: QUICK });
    await expectBackend(page, "cpu-simd");
    await expect(page.getByTestId("backend-reason")).toContainText(says);
    await expect(page.getByTestId("error")).toBeHidden();
    expect((await ask(page, PROMPT)).text).toBe(wanted);
  });
}

broken("a kernel that is wrong on this device is replaced by its plain variant, and named", async ({ page, behind }) => {
  // The fourth row of an invocation; the plain variant has one.
  const url = await behind(breakages.alteredShader, ["scaled.w = ", "scaled.w = 2.0 * "]);
  await loadOn(page, "Gpu", { url, variant: QUICK });
  await expectBackend(page, SOFTWARE);
  await expect(page.getByTestId("check-replaced")).toContainText("norm + QKV");
  await expectAgreement(page);
  expect((await ask(page, PROMPT)).text).toBe(wanted);
});

broken("a GPU whose kernels are wrong in every variant is not used", async ({ page, behind }) => {
  const url = await behind(breakages.alteredShader, ["exp(scores[at] - peak)", "exp(0.5 * (scores[at] - peak))"]);
  await loadOn(page, "Gpu", { url, variant: QUICK });
  await expectBackend(page, "cpu-simd");
  await expect(page.getByTestId("backend-reason")).toContainText("attention");
  expect((await ask(page, PROMPT)).text).toBe(wanted);
});

const MIB = 1 << 20;
for (const [name, bytes] of [["the default limit of 128 MiB", 128 * MIB], ["a limit of 16 MiB", 16 * MIB]]) {
  broken(`an adapter with ${name} for a binding and no optional feature works`, async ({ page, behind }) => {
    const limits = { maxStorageBufferBindingSize: bytes, maxBufferSize: bytes };
    await loadOn(page, "Gpu", { url: await behind(breakages.plainAdapter, limits) });
    await expectBackend(page, SOFTWARE);
    await expectAgreement(page);
    await expect(page.getByTestId("variant")).toHaveText(/^workgroup-float-/);
    expect((await ask(page, PROMPT)).text).toBe(wanted);
  });
}
