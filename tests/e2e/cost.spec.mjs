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
  const volume = page.getByTestId("cost-requests-per-month");
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
    await page.getByTestId("cost-usd-per-request").fill(entry);
    await expect(page.getByTestId("cost-usd-per-request-problem")).not.toBeEmpty();
    await expect(page.getByTestId("verdict")).toHaveText(before);
  }
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
