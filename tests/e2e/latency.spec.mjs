// Many answers measured on the real model: the runner, every view of it, and the same figures wherever they stand.
import fs from "node:fs";
import { expect, test } from "./lib/fixtures.mjs";
import { choose, figure, load, open } from "./lib/page.mjs";

const ANSWERS = 30;
const PATIENCE = { timeout: 240_000 };

async function options(page, values) {
  const details = page.getByTestId("measure-options");
  if (!(await details.evaluate((element) => element.open))) {
    await details.locator("summary").click();
  }
  for (const [testid, value] of Object.entries(values)) {
    await page.getByTestId(testid).fill(String(value));
  }
}

/** Saves an export and returns its text. */
async function saved(page, testid) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByTestId(testid).click()]);
  return fs.readFileSync(await file.path(), "utf8");
}

/** Nearest-rank percentile, as the histograms have it. */
function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(p * sorted.length) - 1];
}

const near = (want) => ({ low: want * 0.998 - 0.002, high: want * 1.002 + 0.002 });

test("what is measured is the same on the page, in the JSON and in the CSV", async ({ page }) => {
  await open(page);
  await page.getByTestId("chart-cdf").scrollIntoViewIfNeeded();
  await load(page);
  await options(page, { "measure-answers": ANSWERS, "measure-tokens": 16 });
  await page.getByTestId("measure-start").click();
  await expect(page.getByTestId("generate")).toBeDisabled();
  await expect(page.getByTestId("measure-progress")).toContainText("so far");
  await expect(page.getByTestId("measure-start")).toBeVisible(PATIENCE);
  expect(await figure(page, "measure-count")).toBe(ANSWERS);
  expect(await figure(page, "measure-tick")).toBeGreaterThan(0);

  const json = JSON.parse(await saved(page, "export-json"));
  expect(json).toMatchObject({ schema: "nibble-latency/1", origin: { kind: "measured" } });
  expect(json.context.browser).toContain("Chrom");
  expect(json.context.model).toContain("SmolLM2");
  expect(json.runs.length).toBe(ANSWERS);
  const firsts = json.runs.map((run) => run.arrivals_ms[0]);
  const gaps = json.runs.flatMap(({ arrivals_ms: ms }) => ms.slice(1).map((at, index) => at - ms[index]));
  for (const [testid, values, p] of [
    ["here-ttft-p50", firsts, 0.5],
    ["here-ttft-p90", firsts, 0.9],
    ["here-inter-token-p95", gaps, 0.95],
  ]) {
    const { low, high } = near(percentile(values, p));
    const shown = await figure(page, testid);
    expect(shown, testid).toBeGreaterThanOrEqual(low);
    expect(shown, testid).toBeLessThanOrEqual(high);
  }
  expect(json.summary.ttft.p50_ms).toBe(await figure(page, "here-ttft-p50"));
  expect(json.summary.end_to_end.p90_ms).toBe(await figure(page, "here-end-to-end-p90"));
  // 30 answers stand behind a P90, not behind a P95.
  await expect(page.getByTestId("here-ttft-p95")).toContainText("from 59");

  const [head, ...lines] = (await saved(page, "export-csv")).trim().split("\n");
  expect(head).toMatch(/,token,at_ms$/);
  const rows = lines.map((line) => line.split(",").slice(-2).map(Number));
  expect(rows.map(([, at]) => at)).toEqual(json.runs.flatMap((run) => run.arrivals_ms));
  const fromCsv = rows.filter(([token]) => token === rows[0][0]).map(([, at]) => at);
  expect(percentile(fromCsv, 0.9)).toBe(percentile(firsts, 0.9));

  // Every category, and all of them.
  expect(await figure(page, "category-all-rate")).toBeGreaterThan(0);
  expect(await figure(page, "category-code-analysis-first")).toBeGreaterThan(0);

  // As many simulated requests, of a table and a line of their own.
  await expect(page.getByTestId("simulated-count")).toContainText("10,000 requests", PATIENCE);
  console.log(await page.getByTestId("simulated-count").textContent());
  await expect(page.getByTestId("cloud-ttft-p99.9")).toHaveAttribute("data-value", /\d/);
  await expect(page.getByTestId("latency-verdict")).toContainText(/from this device (than from|and) the simulated cloud/);
  await expect(page.getByTestId("chart-cdf")).toHaveAttribute("data-lines", "2");
  await page.getByTestId("histogram").locator("summary").first().click();
  await expect(page.getByTestId("chart-histogram").locator("canvas")).toBeVisible();
  await page.getByTestId("metric-of-inter-token").check();
  await expect(page.getByTestId("chart-cdf")).toHaveAttribute("aria-label", /Time between tokens/);

  // Another device's samples: here our own, taken back in.
  await page.getByTestId("import").setInputFiles({
    name: "other.json",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify(json)),
  });
  expect(await figure(page, "other-ttft-p50")).toBe(await figure(page, "here-ttft-p50"));
  await expect(page.getByTestId("chart-cdf")).toHaveAttribute("data-lines", "3");
  // The same as a simulation: marked so, in its own table.
  const heading = page.locator("h4", { hasText: "Imported" });
  await expect(heading.locator(".origin-measured")).toBeVisible();
  const simulated = { ...json, origin: { kind: "simulated", preset: "nearby-region", seed: 7 } };
  await page.getByTestId("import").setInputFiles({
    name: "simulated.json",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify(simulated)),
  });
  await expect(heading.locator(".origin-simulated")).toBeVisible();
  expect(await figure(page, "other-ttft-p50")).toBe(await figure(page, "here-ttft-p50"));
  await page.getByTestId("import").setInputFiles({ name: "no.json", mimeType: "application/json", buffer: Buffer.from("{}") });
  await expect(page.getByTestId("error").first()).toContainText("nibble-latency/1");
  await page.getByTestId("import-remove").click();

  // A promise, kept or not, and handed on to the decision.
  await page.getByTestId("slo").selectOption({ label: "Your own" });
  await page.getByTestId("slo-ttft").fill("100000");
  await page.getByTestId("slo-tpot").fill("");
  await page.getByTestId("slo-share").fill("90");
  expect(await figure(page, "slo-share-here")).toBe(1);
  await expect(page.getByTestId("slo-holds-here")).toHaveText("holds");
  expect(await figure(page, "goodput-here")).toBeGreaterThan(0);
  await page.getByTestId("slo-decide").click();
  await expect(page.getByTestId("cost-policy-slo")).toHaveValue("100000");
  await page.getByTestId("slo-share").fill("0");
  await expect(page.getByTestId("slo-problem")).toBeVisible();

  // One click, and the cost works with what this device does.
  await page.getByTestId("feed-forward").click();
  const speed = 1000 / (gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length);
  const typed = Number(await page.getByTestId("cost-browser-tokens-per-second").inputValue());
  expect(Math.abs(typed - speed)).toBeLessThan(0.2 + 0.002 * speed);
  await expect(page.getByTestId("cost-demand-output-tokens")).toHaveValue("16");
  await page.getByTestId("decision-paths").locator("summary").first().click();
  await expect(page.locator("#decide")).toContainText("measured");
});

test("a measurement can be held, goes on, and is stopped without losing what came", async ({ page }) => {
  await open(page);
  await load(page);
  await options(page, { "measure-answers": 500, "measure-tokens": 8 });
  await page.getByTestId("measure-start").click();
  await expect(page.getByTestId("measure-progress")).toContainText("3 answers", PATIENCE);
  // Nothing is worked out of the answers while they come.
  await expect(page.getByTestId("measure-count")).toHaveCount(0);
  // The options no longer matter to what is under way.
  await page.getByTestId("measure-answers").fill("7");
  await expect(page.getByTestId("measure-progress")).toContainText("of at most 500");
  await page.getByTestId("measure-pause").click();
  await expect(page.getByTestId("measure-progress")).toContainText("Paused");
  const count = async () => await figure(page, "measure-count");
  // The answer under way is still counted; after it nothing comes.
  await page.waitForTimeout(1500);
  const held = await count();
  await page.waitForTimeout(1000);
  expect(await count()).toBe(held);
  await page.getByTestId("measure-pause").click();
  const done = async () => Number(/(\d+) answers/.exec(await page.getByTestId("measure-progress").textContent())[1]);
  await expect.poll(done).toBeGreaterThan(held + 3);
  await page.getByTestId("measure-pause").click();
  await page.getByTestId("measure-stop").click();
  await expect(page.getByTestId("measure-told")).toContainText("Stopped early");
  expect(await count()).toBeGreaterThan(held);
  await expect(page.getByTestId("generate")).toBeEnabled();
  await options(page, { "measure-answers": "many" });
  await page.getByTestId("measure-start").click();
  await expect(page.getByTestId("error").first()).toContainText("must be a number from 1 to 10000");
});

test("a defect in mid-measurement is told, what came stays, and a fresh engine measures on", async ({ page }) => {
  await open(page);
  await load(page);
  await options(page, { "measure-answers": 500, "measure-tokens": 8 });
  await page.getByTestId("measure-start").click();
  await expect(page.getByTestId("measure-progress")).toContainText("3 answers", PATIENCE);
  await page.evaluate(() => {
    const failure = { operation: "Measure", id: null, kind: "Internal", message: "a test said so" };
    const data = [JSON.stringify({ Failed: failure })];
    window.testLog.workers.at(-1).dispatchEvent(new MessageEvent("message", { data }));
  });
  await expect(page.getByTestId("error").first()).toContainText("a test said so");
  await expect(page.getByTestId("measure-start")).toBeVisible();
  const kept = await figure(page, "measure-count");
  // The first of them warms up.
  expect(kept).toBeGreaterThanOrEqual(2);
  await load(page);
  await options(page, { "measure-answers": 3 });
  await page.getByTestId("measure-start").click();
  await expect(page.getByTestId("measure-start")).toBeVisible(PATIENCE);
  await expect(page.getByTestId("generate")).toBeEnabled();
});

test("answers given in the background are kept apart", async ({ page }) => {
  await open(page);
  await load(page);
  await options(page, { "measure-answers": 3, "measure-tokens": 8 });
  // A headless tab never goes to the background: only what it says of itself is changed.
  const hide = (hidden) => page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, hidden);
  await hide(true);
  await page.getByTestId("measure-start").click();
  await expect(page.getByTestId("measure-progress")).toContainText("2 answers", PATIENCE);
  await hide(false);
  await expect(page.getByTestId("measure-start")).toBeVisible(PATIENCE);
  expect(await figure(page, "measure-count")).toBe(3);
  expect(await figure(page, "measure-hidden")).toBeGreaterThan(0);
  const json = JSON.parse(await saved(page, "export-json"));
  expect(json.runs.filter((run) => !run.hidden).length).toBe(3);
  expect(json.runs.filter((run) => run.hidden).length).toBe(await figure(page, "measure-hidden"));
});

test("a measurement until the interval is narrow says so", async ({ page }) => {
  await open(page);
  await load(page);
  await options(page, { "measure-answers": 60, "measure-tokens": 4 });
  await page.getByTestId("measure-narrow").check();
  await page.getByTestId("measure-percentile").selectOption({ label: "P50" });
  await page.getByTestId("measure-width").fill("100");
  await page.getByTestId("measure-start").click();
  await expect(page.getByTestId("measure-start")).toBeVisible(PATIENCE);
  await expect(page.getByTestId("measure-told")).toContainText("Stopped when the interval was narrow enough");
  expect(await figure(page, "measure-count")).toBeLessThan(60);
});

test("a load of some seconds is drawn, with its memory", async ({ page }) => {
  await open(page);
  await load(page);
  await page.getByTestId("soak-minutes").fill("0.2");
  await page.getByTestId("soak-start").click();
  await expect(page.getByTestId("soak-pause")).toBeVisible();
  await expect(page.getByTestId("soak-start")).toBeVisible(PATIENCE);
  await expect(page.getByTestId("soak-verdict")).toContainText("Two whole minutes of tokens are needed");
  await page.getByTestId("chart-soak").scrollIntoViewIfNeeded();
  await expect(page.getByTestId("chart-soak").locator("canvas")).toBeVisible();
  await page.getByTestId("chart-soak-memory-table").locator("summary").click();
  await expect(page.getByTestId("chart-soak-memory-table").locator("tbody tr").first()).toBeVisible();
});
