// Does the page's main job once, as a visitor would, and prints what the page shows as one JSON object.
//
// Called by `cargo xtask demo --check`, which serves the site (NIBBLE_URL) and says where pictures go
// (NIBBLE_SCREENSHOTS) and which backend is asked for (NIBBLE_BACKEND: cpu or gpu). NIBBLE_ADAPTER chooses the GPU
// (see browser.mjs). Standard output carries the JSON alone. Anything wrong on the way exits with 1.
import fs from "node:fs";
import path from "node:path";
import { chromium } from "@playwright/test";
import { adapterArgs, launchOptions } from "./browser.mjs";
import { answers, compare, LEAST_SAME } from "./lib/agreement.mjs";
import { instrument, messages } from "./lib/instrument.mjs";
import { last } from "./lib/page.mjs";

const { NIBBLE_URL: url, NIBBLE_SCREENSHOTS: pictures, NIBBLE_ADAPTER: adapter = "swiftshader" } = process.env;

/** Whether the GPU is asked for. */
const onGpu = process.env.NIBBLE_BACKEND === "gpu";

/** Long enough for a slow machine: nothing is judged by being faster. */
const PATIENCE = 600_000;

/** What the seed article's example must give: requests a month at which both sides cost the same. */
const TIPPING_VOLUME = 1_274_074;

const VIEWS = [
  { name: "desktop-light", width: 1280, height: 900, colorScheme: "light" },
  { name: "desktop-dark", width: 1280, height: 900, colorScheme: "dark" },
  { name: "mobile-360", width: 360, height: 800, colorScheme: "light" },
];

const say = (text) => console.error(`    ${text}`);

/** Collects whatever must not happen while `page` is used. */
function watch(page) {
  const wrong = [];
  const { origin } = new URL(url);
  page.on("console", (message) => {
    if (message.type() === "error") {
      wrong.push(`console: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => wrong.push(`page: ${error}`));
  page.on("requestfailed", (request) => wrong.push(`request failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) {
      wrong.push(`request to another origin: ${request.url()}`);
    }
  });
  return wrong;
}

/** Presses what loads a model and waits until it is there; one loaded before may still be called ready for a moment. */
async function load(page, button) {
  const loaded = async () => (await messages(page, "worker", "Loaded")).length;
  const before = await loaded();
  const failed = page.getByTestId("error").first();
  await page.getByTestId(button).click();
  say("the button is pressed, the model loads");
  for (const end = Date.now() + PATIENCE; (await loaded()) === before; await page.waitForTimeout(200)) {
    await refuse(failed);
    if (Date.now() > end) {
      throw new Error("the model did not load in time");
    }
  }
  await page.locator('[data-testid="model-status"][data-value="ready"]').waitFor();
  say("the model is ready");
}

/** From the one button to the end of the answer. Gives how many presses it took. */
async function mainJob(page) {
  await load(page, "load-button");
  const failed = page.getByTestId("error").first();
  let presses = 1;
  // The answer may begin by itself; if it has not, the next button is pressed.
  const begun = page.getByTestId("stop").or(page.getByTestId("finish-reason")).first();
  await begun.waitFor({ timeout: 1_000 }).catch(async () => {
    await page.getByTestId("generate").click();
    presses = 2;
  });
  await page.getByTestId("finish-reason").or(failed).first().waitFor({ timeout: PATIENCE });
  await refuse(failed);
  say("the answer is complete");
  return presses;
}

async function refuse(failed) {
  if (await failed.isVisible()) {
    throw new Error(`the page reports: ${await failed.textContent()}`);
  }
}

/** Raw value of a figure on the page, as a number where it is one. */
async function value(page, testid) {
  const raw = await page.getByTestId(testid).first().getAttribute("data-value", { timeout: 10_000 });
  if (raw === null || raw === "") {
    throw new Error(`the page shows no value for ${testid}`);
  }
  return Number.isNaN(Number(raw)) ? raw : Number(raw);
}

/** A figure that a short answer may not have. */
async function optional(page, testid) {
  const raw = await page.getByTestId(testid).first().getAttribute("data-value");
  return raw === null || raw === "" ? null : Number(raw);
}

async function text(page, testid) {
  return (await page.getByTestId(testid).first().textContent({ timeout: 10_000 })).trim();
}

/** Everything the page shows about the run, read from the page. */
async function figures(page) {
  return {
    model: await text(page, "model-name"),
    backend: await value(page, "backend"),
    backend_reason: await text(page, "backend-reason"),
    prompt: await page.getByTestId("prompt").inputValue(),
    answer: await text(page, "answer"),
    finish_reason: await value(page, "finish-reason"),
    load_ms: await value(page, "metric-load"),
    ttft_ms: await value(page, "metric-ttft"),
    tokens_per_s: await value(page, "metric-tps"),
    itl_median_ms: await optional(page, "metric-itl"),
    end_to_end_ms: await value(page, "metric-e2e"),
    peak_memory_bytes: await value(page, "metric-memory"),
    prompt_tokens: await value(page, "metric-prompt-tokens"),
    answer_tokens: (await messages(page, "worker", "Finished")).at(-1).body.tokens,
    simulated_cloud: await simulated(page),
    verdict: await text(page, "verdict"),
    break_even_month: await value(page, "summary-break-even"),
    tipping_volume: Math.round(await value(page, "tipping-volume")),
  };
}

async function simulated(page) {
  const preset = page.getByTestId("cloud-preset");
  return {
    label: await text(page, "cloud-label"),
    preset: await preset.evaluate((select) => select.selectedOptions[0].textContent.trim()),
    seed: await page.getByTestId("cloud-seed").inputValue(),
    ttft_ms: await value(page, "cloud-ttft"),
    itl_median_ms: await optional(page, "cloud-itl"),
    end_to_end_ms: await value(page, "cloud-e2e"),
  };
}

/** Whole-page pictures in every view; charts are drawn when they are first seen, so the page is scrolled once. */
async function photograph(page) {
  fs.mkdirSync(pictures, { recursive: true });
  await page.getByTestId("verdict").scrollIntoViewIfNeeded();
  await page.locator("canvas").first().waitFor({ timeout: 30_000 });
  const files = [];
  for (const { name, width, height, colorScheme } of VIEWS) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => window.scrollTo(0, 0));
    // Two frames: one for the new layout, one for charts that redraw after it.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const file = path.join(pictures, `${name}.png`);
    await page.screenshot({ path: file, fullPage: true });
    files.push(file);
  }
  return files;
}

/** What the worker says about the GPU, or null where it found none. */
async function gpu(page) {
  const found = (await last(page, "Ready")).gpu.Adapter;
  if (found === undefined) {
    return null;
  }
  const { backend, gpu_memory_bytes } = await last(page, "Loaded");
  const { adapter, variant, check } = backend;
  return { adapter, software: found.software, variant, check, gpu_memory_bytes };
}

/** The same prompts on the GPU and then on the processor, in this page. */
async function agreement(page) {
  say("prompts on the GPU");
  const ours = await answers(page, say);
  await page.getByTestId("backend-preference").selectOption("Cpu");
  await load(page, "load-again");
  const { name } = (await last(page, "Loaded")).backend;
  if (name !== "cpu-simd") {
    throw new Error(`the processor was asked for, and ${name} runs`);
  }
  say("the same on the processor");
  const { same, of, prompts } = compare(ours, await answers(page, say));
  return { same_text: `${same} of ${of}`, same, prompts };
}

/** Adds what a GPU is compared by to the result, if one was asked for and is there. */
async function onTheGpu(page, result, wrong) {
  result.gpu = await gpu(page);
  if (result.gpu === null) {
    return;
  }
  if (!result.backend.startsWith("webgpu")) {
    wrong.push(`the GPU was asked for, and ${result.backend} runs: ${result.backend_reason}`);
    return;
  }
  const { same, ...compared } = await agreement(page);
  Object.assign(result.gpu, compared);
  if (same < LEAST_SAME) {
    wrong.push(`GPU and processor write the same text for ${compared.same_text} prompts, not for ${LEAST_SAME}`);
  }
  for (const { body } of await messages(page, "worker", "Moved")) {
    wrong.push(`the GPU failed: ${body.backend.reason}`);
  }
}

/** What a run must show to count. */
function judge(result, wrong) {
  if (!onGpu && result.backend !== "cpu-simd") {
    wrong.push(`the backend is ${result.backend}, not cpu-simd`);
  }
  if (result.answer === "") {
    wrong.push("the answer is empty");
  }
  if (result.tipping_volume !== TIPPING_VOLUME) {
    wrong.push(`the tipping volume is ${result.tipping_volume}, not ${TIPPING_VOLUME}`);
  }
}

const args = [...launchOptions.args, ...adapterArgs(onGpu ? adapter : "none")];
const browser = await chromium.launch({ ...launchOptions, args });
try {
  const page = await browser.newPage({ viewport: VIEWS[0], colorScheme: VIEWS[0].colorScheme });
  const wrong = watch(page);
  await page.addInitScript(instrument);
  await page.goto(url);
  if (onGpu) {
    await page.getByTestId("backend-preference").selectOption("Gpu");
  }
  const presses = await mainJob(page);
  const result = await figures(page);
  const screenshots = await photograph(page);
  if (onGpu) {
    await onTheGpu(page, result, wrong);
  }
  wrong.push(...(await page.evaluate(() => window.testLog.violations)).map((what) => `policy violation: ${what}`));
  judge(result, wrong);
  console.log(JSON.stringify({ ...result, presses, browser: `Chromium ${browser.version()}`, screenshots, wrong }, null, 2));
  for (const what of wrong) {
    say(`wrong: ${what}`);
  }
  process.exitCode = wrong.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`the check could not be finished: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
