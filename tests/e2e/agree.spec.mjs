// The page and the program price the same scenario the same: random ones, drawn from what the sliders cover.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { expect, test } from "./lib/fixtures.mjs";
import { open } from "./lib/page.mjs";

const SCENARIOS = 20;
/** Half a cent. */
const NEAR = 0.005;
const DEPLOYMENTS = ["cloud", "edge", "endpoint", "browser", "hybrid"];

/** Enters a random scenario into the form; says what was entered, by key, as an input file has it. */
function enter(seed) {
  let state = seed;
  const random = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const entered = {};
  const percent = (input) => input.parentElement.querySelector(".unit").textContent.startsWith("%");
  const form = document.querySelector(".cost-form");
  for (const select of form.querySelectorAll("select[data-key]")) {
    select.selectedIndex = Math.floor(random() * select.options.length);
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  return new Promise((resolve) => setTimeout(() => {
    const counts = (element) => !element.closest(".cost-field").classList.contains("hidden");
    for (const input of form.querySelectorAll("input[data-key]")) {
      const slider = document.querySelector(`[data-testid="${input.id}-slider"]`);
      const place = +slider.min + random() * (slider.max - slider.min);
      const shown = percent(input) ? 100 * place : place;
      const value = Number((slider.dataset.log === "true" ? 10 ** shown : shown).toPrecision(3));
      input.value = String(slider.dataset.whole === "true" ? Math.round(value) : value);
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    setTimeout(() => {
      for (const select of [...form.querySelectorAll("select[data-key]")].filter(counts)) {
        entered[select.dataset.key] = JSON.stringify(select.selectedOptions[0].dataset.name);
      }
      for (const input of [...form.querySelectorAll("input[data-key]")].filter(counts)) {
        entered[input.dataset.key] = String(percent(input) ? Number((input.value / 100).toPrecision(12)) : Number(input.value));
      }
      resolve(entered);
    }, 50);
  }, 50));
}

/** The scenario as an input file. */
function toml(entered) {
  const sections = {};
  for (const [key, value] of Object.entries(entered)) {
    const [section, name] = key.split(".");
    (sections[section] ??= [`[${section}]`]).push(`${name} = ${value}`);
  }
  return Object.values(sections).flat().join("\n") + "\n";
}

test("page and program agree to the cent on 20 random scenarios", async ({ page }, info) => {
  const program = process.env.NIBBLE_PROGRAM;
  expect(program, "NIBBLE_PROGRAM names the program").toBeTruthy();
  await open(page);
  const verdicts = new Set();
  for (let seed = 1; seed <= SCENARIOS; seed++) {
    const entered = await page.evaluate(enter, seed);
    await expect(page.locator(".cost-form [aria-invalid]")).toHaveCount(0);
    const file = info.outputPath(`scenario-${seed}.toml`);
    writeFileSync(file, toml(entered));
    const { report } = JSON.parse(execFileSync(program, ["tco", "--input", file, "--json"], { encoding: "utf8" }));
    for (const [index, deployment] of DEPLOYMENTS.entries()) {
      const shown = Number(await page.getByTestId(`value-${deployment}`).getAttribute("data-value"));
      const told = report.bills[index].total.present;
      expect(Math.abs(shown - told), `scenario ${seed}, ${deployment}: ${shown} and ${told}`).toBeLessThan(NEAR);
    }
    // What to choose rests on this device's memory and the simulated cloud too, which the program does not know.
    const [edge] = report.comparisons;
    const tipping = await page.getByTestId("tipping-volume").getAttribute("data-value");
    expect(tipping === null ? null : Number(tipping)).toBe(edge.tipping_present.first);
    verdicts.add(edge.verdict);
  }
  expect(verdicts.size, "the scenarios differ enough to have different answers").toBeGreaterThan(1);
});
