// What a visitor does on the page, in a visitor's words.
import { expect } from "@playwright/test";
import { messages } from "./instrument.mjs";

/** Long enough for a slow machine; no test passes or fails by being faster. */
const PATIENCE = { timeout: 120_000 };

/** Opens the page and waits until it can be used. */
export async function open(page, url = "/") {
  await page.goto(url);
  await expect(page.getByTestId("load-button")).toBeEnabled(PATIENCE);
}

/** Presses Load and waits for the model. */
export async function load(page) {
  await page.getByTestId("load-button").click();
  await expectReady(page);
}

/** The model can be prompted; a problem told instead fails at once. */
export async function expectReady(page) {
  const ready = page.getByTestId("model-status");
  await expect(ready.or(page.getByTestId("error"))).toBeVisible(PATIENCE);
  await expect(page.getByTestId("error")).toBeHidden();
  await expect(ready).toHaveAttribute("data-value", "ready");
}

/** Chooses a task and sets fields of the settings, e.g. `{ seed: 7, "max-tokens": 20 }`. */
export async function choose(page, task, settings = {}) {
  await page.getByTestId(`task-${task}`).click();
  const details = page.getByTestId("settings");
  if (!(await details.evaluate((element) => element.open))) {
    await details.locator("summary").click();
  }
  for (const [key, value] of Object.entries(settings)) {
    await page.getByTestId(key).fill(String(value));
  }
}

/** Types a prompt and presses Generate; returns once the answer is complete: `{ text, reason }`. */
export async function ask(page, prompt) {
  await page.getByTestId("prompt").fill(prompt);
  await page.getByTestId("generate").click();
  return await answer(page);
}

/** The answer under way, once it is complete. */
export async function answer(page) {
  await expect(page.getByTestId("stop")).toBeHidden(PATIENCE);
  const reason = page.getByTestId("finish-reason");
  await expect(reason).toBeVisible(PATIENCE);
  const text = await page.getByTestId("answer").textContent();
  return { text, reason: await reason.getAttribute("data-value") };
}

/** The last message of a kind that the worker sent. */
export async function last(page, kind) {
  return (await messages(page, "worker", kind)).at(-1)?.body;
}

/** A figure of the page, as a number. */
export async function figure(page, testid) {
  const value = await page.getByTestId(testid).getAttribute("data-value");
  expect(value, testid).not.toBeNull();
  return Number(value);
}

/** Waits for a problem to be told and returns its text. */
export async function problem(page) {
  const error = page.getByTestId("error");
  await expect(error).toBeVisible(PATIENCE);
  return await error.textContent();
}

/** The page still does its job: a short answer comes. */
export async function expectUsable(page) {
  await choose(page, "classify");
  const { text } = await ask(page, "The invoice is wrong.");
  expect(text.length).toBeGreaterThan(0);
  await expect(page.getByTestId("error")).toBeHidden();
}
