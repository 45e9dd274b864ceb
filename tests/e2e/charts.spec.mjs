// The line charts by keyboard and in numbers: what is told, what a change costs, how large the code is.
import { expect, test } from "./lib/fixtures.mjs";
import { open } from "./lib/page.mjs";

const MOST_BYTES = 200_000;
const ROLES = ["cloud", "edge", "endpoint", "browser", "hybrid"];

/** Five lines with bands over 121 months; `factor` moves all of them. */
function spec(factor) {
  const months = Array.from({ length: 121 }, (_, month) => month);
  const series = ROLES.map((role, at) => {
    const values = months.map((month) => factor * (1000 * at + month * (1500 - 200 * at)));
    const band = { low: values.map((value) => 0.8 * value), high: values.map((value) => 1.2 * value) };
    return { label: `Option ${role}`, role, values, band };
  });
  const axis = { unit: "usd", log: false, values: [] };
  return { x: { ...axis, unit: "count", label: "Month", values: months }, y: { ...axis, label: "Paid" }, series, marks: [] };
}

test.beforeEach(async ({ page }) => {
  await open(page);
  await page.getByTestId("chart-months").scrollIntoViewIfNeeded();
  await expect(page.getByTestId("chart-months").locator("canvas")).toBeVisible();
});

test("the arrow keys move along a chart, and what stands there is shown and told", async ({ page }) => {
  const chart = page.getByTestId("chart-months");
  await chart.focus();
  await page.keyboard.press("Home");
  await expect(chart.locator(".legend-x")).toHaveText("Month: 0");
  await page.keyboard.press("PageDown");
  await page.keyboard.press("ArrowRight");
  await expect(chart.locator(".legend-x")).toHaveText("Month: 11");
  for (let presses = 0; presses < 8; presses++) {
    await page.keyboard.press("ArrowRight");
  }
  await expect(chart.locator("[aria-live]")).toHaveText(/^Month: 19; Cloud API \$28,500.*; Edge servers \$27,600/);
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowRight");
  await expect(chart.locator(".legend-x")).toHaveText("Month: 36");
  await page.keyboard.press("Escape");
  await expect(chart).not.toBeFocused();
});

test("a chart that gets its bands while somebody moves along it keeps the place and tells it", async ({ page }) => {
  const withBands = spec(1);
  const without = { ...withBands, series: withBands.series.map((line) => ({ ...line, band: null })) };
  const before = await page.evaluate(
    async ([first, second]) => {
      const { draw } = await import("/charts.js");
      const place = document.querySelector(".outcome").appendChild(document.createElement("div"));
      place.dataset.testid = "anew";
      draw(place, first);
      await new Promise(requestAnimationFrame);
      place.focus();
      for (const key of ["Home", "PageDown"]) {
        place.dispatchEvent(new KeyboardEvent("keydown", { key }));
      }
      const canvas = place.querySelector("canvas");
      draw(place, second);
      return { anew: canvas !== place.querySelector("canvas"), focused: document.activeElement === place };
    },
    [without, withBands],
  );
  expect(before).toEqual({ anew: true, focused: true });
  const chart = page.getByTestId("anew");
  await expect(chart.locator(".legend-x")).toHaveText("Month: 10");
  await expect(chart.locator("[aria-live]")).toHaveText(/^Month: 10; .*80 % of trials/);
  await expect(chart).toBeFocused();
});

test("a change of numbers redraws the same plot instead of making a new one", async ({ page }) => {
  const specs = [1, 1.1, 1.2, 1.3].map(spec);
  const { times, kept, names } = await page.evaluate(async (specs) => {
    const { draw, destroy } = await import("/charts.js");
    const place = document.querySelector(".outcome").appendChild(document.createElement("div"));
    draw(place, specs[0]);
    await new Promise(requestAnimationFrame);
    const canvas = place.querySelector("canvas");
    const times = [];
    for (let round = 0; round < 60; round++) {
      const start = performance.now();
      draw(place, specs[round % specs.length]);
      // The plot is painted in a microtask of its own.
      await null;
      await null;
      times.push(performance.now() - start);
      await new Promise(requestAnimationFrame);
    }
    const kept = place.querySelector("canvas") === canvas;
    const names = [...place.querySelectorAll(".legend-name")].map((name) => name.textContent);
    destroy(place);
    const empty = place.childElementCount === 0;
    place.remove();
    return { times, kept: kept && empty, names };
  }, specs);
  const median = times.sort((a, b) => a - b)[30];
  console.log(`redraw of 5 lines with bands × 121 points: median ${median.toFixed(2)} ms, slowest ${times.at(-1).toFixed(2)} ms`);
  expect(kept).toBe(true);
  expect(names).toEqual(ROLES.map((role) => `Option ${role}`));
});

test("names at the lines' ends never meet and stay within the plot", async ({ page }) => {
  const moved = await page.evaluate(async () => {
    const { pushApart } = await import("/charts.js");
    return [[], [50], [10, 90], [50, 50, 50, 50, 50], [0, 0, 0], [100, 99, 98], [70, 20, 72]].map((rows) => [rows, pushApart(rows, 17, 0, 100)]);
  });
  for (const [rows, placed] of moved) {
    const order = rows.map((_, index) => index).sort((a, b) => placed[a] - placed[b]);
    order.slice(1).forEach((index, at) => {
      expect(placed[index] - placed[order[at]]).toBeGreaterThanOrEqual(17);
      expect(rows[index]).toBeGreaterThanOrEqual(rows[order[at]]);
    });
    for (const row of placed) {
      expect(row).toBeGreaterThanOrEqual(0);
      expect(row).toBeLessThanOrEqual(100);
    }
  }
  expect(moved[2][1]).toEqual([10, 90]);
});

test("the chart code is small", async ({ page }) => {
  const sizes = await page.evaluate(async () => {
    const size = async (file) => (await (await fetch(file)).arrayBuffer()).byteLength;
    return [await size("/charts.js"), await size("/charts.css")];
  });
  console.log(`charts.js ${sizes[0]} bytes, charts.css ${sizes[1]} bytes`);
  expect(sizes[0] + sizes[1]).toBeLessThanOrEqual(MOST_BYTES);
});

test("a table is copied, and a clipboard that fails says so", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByTestId("chart-months-table").locator("summary").click();
  const told = page.getByTestId("chart-months-copied");
  await page.getByTestId("chart-months-csv").click();
  await expect(told).toHaveText("Copied.");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toMatch(/^Month,/);
  expect(copied).toMatch(/^19,"\$28,500","\$27,600"/m);
  await page.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject(new Error("denied"))));
  await page.getByTestId("chart-months-tsv").click();
  await expect(told).toContainText("did not allow copying");
});

test("an entry that changes is worked out at once, without a run of trials", async ({ page }) => {
  const times = await page.evaluate(async () => {
    const input = document.querySelector('[data-key="demand.requests_per_month"]');
    const times = [];
    for (let round = 0; round < 40; round++) {
      const start = performance.now();
      input.value = String(2_000_000 + 10_000 * round);
      input.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve));
      times.push(performance.now() - start);
      await new Promise(requestAnimationFrame);
    }
    return times;
  });
  times.sort((a, b) => a - b);
  console.log(`a change of an entry, all figures and charts: median ${times[20].toFixed(1)} ms, slowest ${times.at(-1).toFixed(1)} ms`);
  await expect(page.getByTestId("verdict")).toContainText("At 2,390,000 requests");
});
