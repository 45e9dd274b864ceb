// The race: an answer of the real model beside a simulated request, both as they come, and every cloud to race against.
import { expect, share, test } from "./lib/fixtures.mjs";
import { answer, ask, choose, figure, load, open } from "./lib/page.mjs";

/** One page with the model loaded serves the whole file: loading has its own tests. */
test.describe.configure({ mode: "serial" });

const PROMPT = "Name three colours and say what each of them reminds you of.";

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

/** Notes what stands in the section whenever it changes, and how often it does within a frame. */
async function watch() {
  await page.evaluate(() => {
    const seen = { frames: 0, here: [], cloud: [], stages: [], changes: new Map() };
    window.testRace = seen;
    const count = (testid) => Number(document.querySelector(`[data-testid=${testid}]`)?.dataset.value ?? 0);
    const tick = () => {
      seen.frames += 1;
      if (!seen.stopped) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    const section = document.getElementById("compare");
    // One callback is one batch of changes.
    seen.observer = new MutationObserver(() => {
      seen.changes.set(seen.frames, (seen.changes.get(seen.frames) ?? 0) + 1);
      seen.here.push(count("live-here"));
      seen.cloud.push(count("live-cloud"));
      seen.stages.push(section.querySelectorAll("[data-testid=waterfall-simulated] .stage[data-value]").length);
    });
    seen.observer.observe(section, { subtree: true, childList: true, attributes: true, characterData: true });
  });
}

async function watched() {
  return await page.evaluate(() => {
    const seen = window.testRace;
    seen.observer.disconnect();
    seen.stopped = true;
    const { here, cloud, stages, frames } = seen;
    const often = [...seen.changes.values()].filter((changes) => changes > 1).length;
    return { here, cloud, stages, frames, often };
  });
}

/** Presses Race and waits until both sides have ended. */
async function race() {
  await page.getByTestId("race").click();
  await expect(page.getByTestId("race-stop")).toBeVisible();
  await expect(page.getByTestId("race")).toBeVisible({ timeout: 120_000 });
}

/** Stages of a side with their lengths, in ms. */
async function stages(kind) {
  const rows = page.getByTestId(`waterfall-${kind}`).locator(".stage");
  const read = (rows) => rows.map((row) => [row.dataset.stage, Number(row.dataset.value)]);
  return Object.fromEntries(await rows.evaluateAll(read));
}

const sum = (lengths) => Object.values(lengths).reduce((a, b) => a + b, 0);

test("without a model there is no race, and the page says what to do", async () => {
  await expect(page.getByTestId("race")).toBeDisabled();
  await expect(page.locator(".race-start")).toContainText("Load the model");
  await expect(page.getByTestId("race-verdict")).not.toHaveAttribute("data-value", /./);
});

test("two streams run token by token, a change a frame, and the verdict is that of the figures", async () => {
  await load(page);
  await choose(page, "chat", { "max-tokens": 60, temperature: 0 });
  await page.getByTestId("prompt").fill(PROMPT);
  await page.getByTestId("race").scrollIntoViewIfNeeded();
  await watch();
  await race();
  const seen = await watched();
  for (const side of [seen.here, seen.cloud]) {
    // How many pictures there are is up to the machine; one between nothing and all shows that it is a stream.
    expect(new Set(side).size, "they come a few at a time").toBeGreaterThan(2);
    expect(side, "and none goes back").toEqual([...side].sort((a, b) => a - b));
  }
  expect(new Set(seen.stages).size, "stages began one after the other").toBeGreaterThan(2);
  // The start, the answer's end and the race's end are changes of their own.
  expect(seen.often, "frames with more than one change").toBeLessThanOrEqual(3);

  const tokens = await figure(page, "live-here");
  expect(tokens).toBe(await figure(page, "live-cloud"));
  const { text } = await answer(page);
  await expect(page.locator(".stream-text")).toHaveText(text.slice(-400));
  for (const [side, kind] of [["local", "measured"], ["cloud", "simulated"]]) {
    const apart = Math.abs(sum(await stages(kind)) - (await figure(page, `${side}-e2e`)));
    expect(apart, `${kind} stages add up`).toBeLessThan(0.01);
  }
  const gaps = [];
  for (const key of ["ttft", "e2e"]) {
    gaps.push((await figure(page, `local-${key}`)) - (await figure(page, `cloud-${key}`)));
  }
  const ahead = gaps.map((gap) => (Math.abs(gap) < 1 ? 0 : Math.sign(gap)));
  const total = ahead[0] + ahead[1];
  const even = ahead[0] === 0 ? "neither" : "split";
  const verdict = page.getByTestId("race-verdict");
  await expect(verdict).toHaveAttribute("data-value", total < 0 ? "here" : total > 0 ? "cloud" : even);
  const words = { 1: "later here", 0: "at about the same time", "-1": "earlier here" };
  await expect(verdict).toContainText(words[ahead[0]]);
  await expect(page.getByTestId("announcement")).toHaveText(await verdict.textContent());
  console.log(`race: ${tokens} tokens, ${seen.frames} frames; ${await verdict.textContent()}`);
});

test("each side has its stages, and this device sends nothing", async () => {
  const cloud = ["Look-up (DNS)", "Connect", "Upload", "Round trip", "Queue", "Prefill", "Tokens"];
  expect(Object.keys(await stages("simulated"))).toEqual(cloud);
  const here = await stages("measured");
  expect(Object.keys(here)).toEqual(["DNS, connect, upload", "Queue", "Prefill", "Tokens"]);
  expect(here["DNS, connect, upload"]).toBe(0);
  expect(here["Prefill"]).toBeGreaterThan(0);
});

test("who wants little motion gets a picture a second, and the same result", async () => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.getByTestId("race").scrollIntoViewIfNeeded();
  await watch();
  await race();
  const seen = await watched();
  await page.emulateMedia({ reducedMotion: null });
  const elapsed = Math.max(await figure(page, "local-e2e"), await figure(page, "cloud-e2e"));
  expect(new Set(seen.here).size).toBeLessThanOrEqual(elapsed / 1_000 + 3);
  await expect(page.getByTestId("race-verdict")).toHaveAttribute("data-value", /./);
});

test("stopping the answer ends the race with what came", async () => {
  await choose(page, "chat", { "max-tokens": 400 });
  await page.getByTestId("prompt").fill("Write a long story about a lighthouse keeper and his dog.");
  await page.getByTestId("race").scrollIntoViewIfNeeded();
  await page.getByTestId("race").click();
  await expect(async () => expect(await figure(page, "live-here")).toBeGreaterThan(5)).toPass();
  await page.getByTestId("race-stop").click();
  await expect(page.getByTestId("race")).toBeVisible();
  expect((await answer(page)).reason).toBe("aborted");
  expect(await figure(page, "live-cloud")).toBe(await figure(page, "live-here"));
  await choose(page, "chat", { "max-tokens": 30 });
});

test("an answer that is not raced leaves nothing of the race before it", async () => {
  await ask(page, "Say hello.");
  await expect(page.locator(".stream-text")).toHaveText("In a race the answer comes in here.");
  await expect(page.locator(".stream-marks")).toBeEmpty();
  expect(await figure(page, "local-ttft")).toBe(await figure(page, "metric-ttft"));
});

test("a connection over QUIC saves a round trip, an open one all of them", async () => {
  const ttft = async (connection) => {
    await page.getByTestId("cloud-connection").selectOption(connection);
    return await figure(page, "cloud-ttft");
  };
  const [cold, quic, warm] = [await ttft("cold"), await ttft("quic"), await ttft("warm")];
  expect(cold - quic).toBeCloseTo(40, 6);
  expect(cold - warm).toBeCloseTo(100, 6);
  await page.getByTestId("cloud-connection").selectOption("cold");
});

test("published end-to-end times get no round trip added, and show figures, sources and dates", async () => {
  await page.getByTestId("cloud-preset").selectOption({ label: "A hosted 7B model, December 2023" });
  await expect(page.getByTestId("cloud-label")).toContainText("A hosted 7B model");
  expect(Object.keys(await stages("simulated"))).toEqual(["First token, end to end", "Tokens"]);
  await expect(page.getByTestId("cloud-connection")).toBeDisabled();
  await expect(page.locator("#cloud-connection-hint")).toContainText("no round trip");
  await page.getByTestId("cloud-sources").locator("summary").click();
  const row = page.getByTestId("cloud-figures").locator("tr", { hasText: "first token p50" });
  await expect(row).toContainText("204 ms");
  await expect(row).toContainText(/20\d\d-\d\d-\d\d/);
  await expect(row).toContainText("cited");
  await race();
  await expect(page.getByTestId("race-verdict")).toHaveAttribute("data-value", /./);
});

test("your percentiles are a cloud; what is no time is named", async () => {
  await page.getByTestId("cloud-preset").selectOption({ label: "Your numbers" });
  const problem = page.getByTestId("yours-problem");
  await expect(problem).toContainText("P50");
  await expect(page.getByTestId("race")).toBeDisabled();
  for (const [key, value] of [["p50", "300"], ["p90", "450"], ["p99", "900"]]) {
    await page.getByTestId(`yours-${key}`).fill(value);
  }
  await expect(problem).toBeEmpty();
  await expect(page.getByTestId("cloud-label")).toContainText("Your numbers");
  const spread = await page.getByTestId("cloud-spread").textContent();
  const [p50, p90, p99] = [...spread.matchAll(/([\d,]+) ms/g)].map(([, ms]) => Number(ms.replace(",", "")));
  // A thousand requests: as near as that many samples come.
  expect(Math.abs(p50 / 300 - 1)).toBeLessThan(0.05);
  expect(Math.abs(p90 / 450 - 1)).toBeLessThan(0.1);
  expect(Math.abs(p99 / 900 - 1)).toBeLessThan(0.3);
  await page.getByTestId("yours-p99").fill("200");
  await expect(problem).toContainText("must rise");
});

/** Times whose logarithms above 200 ms are normal, at even ranks, so that a fit can hardly miss. */
function samples(count) {
  // Tukey's lambda, near enough to the normal distribution.
  const quantile = (p) => (p ** 0.135 - (1 - p) ** 0.135) / 0.1975;
  return Array.from({ length: count }, (_, at) => 200 + Math.exp(4 + 0.6 * quantile((at + 0.5) / count)));
}

test("samples are fitted, with the goodness of the fit and its caveat", async () => {
  const rows = samples(200).map((ms, at) => `${at},${ms.toFixed(2)}`);
  const buffer = Buffer.from(`id,ttft_ms\n${rows.join("\n")}\n`);
  await page.getByTestId("yours-file").setInputFiles({ name: "ttft.csv", mimeType: "text/csv", buffer });
  const fit = page.getByTestId("yours-fit");
  await expect(fit).toHaveAttribute("data-value", "plausible");
  await expect(fit).toContainText("200 samples");
  await expect(fit).toContainText("critical value 0.096");
  await expect(fit).toContainText("only indicative");
  expect(Math.abs(Number(await page.getByTestId("yours-p50").inputValue()) - 254.6)).toBeLessThan(5);

  const clusters = Array.from({ length: 200 }, (_, at) => (at % 2 ? 100 : 900) + at / 10);
  await page.getByTestId("yours-paste").fill(JSON.stringify(clusters));
  await page.getByTestId("yours-read").click();
  await expect(fit).toHaveAttribute("data-value", "poor");
  await page.getByTestId("yours-p50").fill("250");
  await expect(fit).toBeEmpty();
  await page.getByTestId("yours-paste").fill("ttft_ms\n120\nsoon\n");
  await page.getByTestId("yours-read").click();
  await expect(page.getByTestId("yours-problem")).toContainText("line 3");
});

test("ten thousand requests are simulated in slices, and the page says in what time", async () => {
  await page.getByTestId("cloud-preset").selectOption({ label: "Nearby region, home broadband" });
  // The simulation begins once the charts have been looked at.
  await page.getByTestId("chart-cdf").scrollIntoViewIfNeeded();
  const pace = page.getByTestId("cloud-pace");
  await expect(pace).toHaveAttribute("data-value", /./);
  await expect(pace).toContainText("10,000 requests of 200 tokens");
  await expect(page.getByTestId("simulated-count")).toContainText("Nearby region");
  console.log(`${await pace.textContent()} longest: ${await pace.getAttribute("data-longest")} ms`);
});

test("every kind of preset can be simulated many times over", async () => {
  const count = page.getByTestId("simulated-count");
  for (const label of ["Nearby region, busy hour", "A hosted 7B model, December 2023"]) {
    await page.getByTestId("cloud-preset").selectOption({ label });
    await expect(count).toContainText(label);
    await expect(count).not.toContainText("anew");
    expect(await figure(page, "cloud-ttft-p50")).toBeGreaterThan(0);
  }
});

test("the section fits a narrow screen, with your numbers open", async () => {
  await page.getByTestId("cloud-preset").selectOption({ label: "Your numbers" });
  await page.setViewportSize({ width: 360, height: 900 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide).toBeLessThanOrEqual(0);
});
