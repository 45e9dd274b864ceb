// What it costs, and what a simulated cloud would take: both work without a model.
import { expect, test } from "./lib/fixtures.mjs";
import { ask, choose, figure, load, open } from "./lib/page.mjs";

const SIMULATED = ["cloud-ttft", "cloud-itl", "cloud-e2e"];

/** The simulated figures as the page shows them. */
async function simulated(page) {
  const values = [];
  for (const testid of SIMULATED) {
    values.push(await page.getByTestId(testid).textContent());
  }
  return values;
}

test.beforeEach(async ({ page }) => {
  await open(page);
});

test("the seed article's example tips at 1,274,074 requests and breaks even in month 19", async ({ page }) => {
  expect(Math.round(await figure(page, "tipping-volume"))).toBe(1_274_074);
  await expect(page.getByTestId("tipping-volume")).toContainText("1,274,074");
  expect(await figure(page, "break-even-month")).toBe(19);
  await expect(page.getByTestId("verdict")).toHaveAttribute("data-value", "edge-cheaper");
  expect(await figure(page, "summary-break-even")).toBe(19);
});

test("both charts are drawn, and their tables mark the same points", async ({ page }) => {
  for (const testid of ["chart-months", "chart-volume"]) {
    const chart = page.getByTestId(testid);
    await chart.scrollIntoViewIfNeeded();
    await expect(chart.locator("canvas")).toBeVisible();
    await expect(page.getByTestId(`${testid}-table`)).toHaveCount(1);
  }
  await page.getByTestId("chart-months-table").locator("summary").click();
  const paid = page.getByTestId("chart-months-table").getByRole("row", { name: /paid for itself/ });
  await expect(paid).toContainText(/^19\$28,500\$27,600/);
  await page.getByTestId("chart-volume-table").locator("summary").click();
  const tipping = page.getByTestId("chart-volume-table").getByRole("row", { name: /tipping point/ });
  await expect(tipping).toContainText("1,274,074");
});

test("another volume changes the verdict, and the example comes back", async ({ page }) => {
  const volume = page.getByTestId("cost-demand-requests-per-month");
  await volume.fill("1274073");
  await expect(page.getByTestId("verdict")).toHaveAttribute("data-value", "cloud-cheaper");
  await volume.fill("1274075");
  await expect(page.getByTestId("verdict")).toHaveAttribute("data-value", "edge-cheaper");
  await page.getByTestId("cost-reset").click();
  expect(await figure(page, "break-even-month")).toBe(19);
});

test("an impossible entry is told beside it, and nothing is worked out from it", async ({ page }) => {
  const before = await page.getByTestId("verdict").textContent();
  for (const entry of ["-1", "abc", "", "1e400", "NaN"]) {
    await page.getByTestId("cost-cloud-usd-per-request").fill(entry);
    await expect(page.getByTestId("cost-cloud-usd-per-request-problem")).not.toBeEmpty();
    await expect(page.getByTestId("verdict")).toHaveText(before);
  }
});

test("a case to start from brings its figures, sources and decision", async ({ page }) => {
  await page.getByTestId("cost-preset").selectOption({ label: "A hospital with data residency" });
  await expect(page.getByTestId("cost-policy-data")).toHaveValue("2");
  await expect(page.getByTestId("choice")).not.toHaveAttribute("data-value", "cloud");
  await expect(page.getByTestId("option-cloud")).toContainText("fails: Data policy");
  const gate = page.getByTestId("gates").getByRole("row", { name: /Cloud API/ });
  await expect(gate).toContainText("failed");
  await expect(page.getByTestId("premium")).toContainText("$");
});

test("a figure leads to its inputs, and an entry of one's own is marked as such", async ({ page }) => {
  await page.getByTestId("cost-edge-capex").fill("20000");
  await page.getByTestId("bill-edge").locator("summary").first().click();
  const line = page.getByTestId("bill-edge").getByRole("row", { name: /Hardware/ });
  await line.locator("summary").click();
  await line.getByRole("link", { name: "Hardware" }).click();
  const entry = page.getByTestId("assumption-edge-capex");
  await expect(entry).toBeInViewport();
  await expect(entry).toContainText("20,000");
  await expect(entry).toContainText("yours");
  await expect(page.getByTestId("assumption-edge-lifecycle")).toContainText("article’s claim, unverified");
});

test("trials have a seed, can be stopped, and give the same odds again", async ({ page }) => {
  await page.getByTestId("chart-months").scrollIntoViewIfNeeded();
  await expect(page.getByTestId("odds-done")).toBeVisible();
  const edge = page.getByTestId("option-edge");
  const first = await edge.textContent();
  expect(first).toMatch(/\d+\.\d %/);
  await page.getByTestId("odds-seed").fill("2");
  await expect(page.getByTestId("odds-done")).toBeHidden();
  await page.getByTestId("odds-stop").click();
  await page.getByTestId("odds-seed").fill("1");
  await page.getByTestId("odds-run").click();
  await expect(page.getByTestId("odds-done")).toBeVisible();
  await expect(edge).toHaveText(first);
});

test("what would have to be true is told input by input", async ({ page }) => {
  // By keyboard: the curves above may still be growing under a pointer.
  await page.getByTestId("flips").locator("summary").first().press("Enter");
  const volume = page.getByTestId("flips").getByRole("row", { name: /^Volume/ });
  await expect(volume).toContainText("1,274,000 requests per month: Cloud API below, Edge servers above");
});

test("two scenarios stand side by side", async ({ page }) => {
  await page.getByTestId("cost-compare").click();
  await page.getByTestId("cost-demand-requests-per-month").fill("5000000");
  const row = page.getByTestId("side-by-side").getByRole("row", { name: /share of the cloud/ });
  await expect(row).toContainText("36.3 %");
  await expect(row).toContainText("74.5 %");
  await page.getByTestId("case-0").click();
  await expect(page.getByTestId("cost-demand-requests-per-month")).toHaveValue("2,000,000");
  await page.getByTestId("cost-single").click();
  await expect(page.getByTestId("side-by-side")).toHaveCount(0);
});

test("every bar has its figures by keyboard", async ({ page }) => {
  const tornado = page.getByTestId("chart-tornado");
  await tornado.scrollIntoViewIfNeeded();
  await expect(tornado).toContainText("flips the verdict");
  await expect(page.getByTestId("chart-waterfall")).toContainText("$19,600");
});

test("the article's chart is followed where it leads elsewhere", async ({ page }) => {
  await page.getByTestId("cost-demand-requests-per-month").fill("990000");
  await page.getByTestId("cost-finance-horizon").evaluate((input) => {
    input.value = "60";
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await expect(page.getByTestId("verdict")).toHaveAttribute("data-value", "edge-cheaper");
  const article = page.getByTestId("article-chart");
  await expect(article).toHaveAttribute("data-differs", "true");
  await expect(page.getByTestId("close-call")).toBeVisible();
  await article.locator("summary").click();
  await expect(article).toContainText("990,000");
});

test("what this tab measured is put in with one click, and marked as measured", async ({ page }) => {
  await load(page);
  await choose(page, "chat", { "max-tokens": 30, temperature: 0 });
  await ask(page, "Name three colours.");
  await page.getByTestId("cost-use-measured").click();
  const speed = (await figure(page, "summary-tps")).toFixed(1);
  await expect(page.getByTestId("cost-browser-tokens-per-second")).toHaveValue(String(Number(speed)));
  await page.getByTestId("ledger").locator("summary").first().click();
  const entry = page.getByTestId("assumption-browser-tokens-per-second");
  await expect(entry.locator(".origin-measured")).toBeVisible();
  await expect(entry).toContainText("measured on this device");
  await expect(page.getByTestId("kv-table")).toContainText("47 MB");
});

test("a simulated figure says so with preset and seed; the same seed gives the same figures", async ({ page }) => {
  const seed = page.getByTestId("cloud-seed");
  const preset = await page.getByTestId("cloud-preset").evaluate((select) => select.selectedOptions[0].text);
  await seed.fill("7");
  const label = page.getByTestId("cloud-label");
  await expect(label).toContainText("simulated");
  await expect(label).toContainText(preset.trim());
  await expect(label).toContainText("seed 7");
  const first = await simulated(page);
  await seed.fill("8");
  await expect(label).toContainText("seed 8");
  expect(await simulated(page)).not.toEqual(first);
  await seed.fill("7");
  expect(await simulated(page)).toEqual(first);
  await page.reload();
  await expect(seed).toBeVisible();
  await seed.fill("7");
  expect(await simulated(page)).toEqual(first);
});

test("measured and simulated figures stand apart", async ({ page }) => {
  expect(await page.getByTestId("local-ttft").getAttribute("data-value")).toBeNull();
  await load(page);
  await choose(page, "chat", { "max-tokens": 40, temperature: 0 });
  await ask(page, "Name three colours.");
  expect(await figure(page, "local-ttft")).toBe(await figure(page, "metric-ttft"));
  expect(await figure(page, "cloud-ttft")).toBeGreaterThan(0);
  for (const [own, other] of [["measured", "simulated"], ["simulated", "measured"]]) {
    const lane = page.locator(`.lane-${own}`);
    await expect(lane.locator(`.origin-${own}`)).toBeVisible();
    await expect(lane.locator(`.origin-${other}`)).toHaveCount(0);
  }
});
