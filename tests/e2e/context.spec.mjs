// A context that fills up, and the rule that the page itself never stands still.
import { expect, test } from "./lib/fixtures.mjs";
import { ask, choose, load, open } from "./lib/page.mjs";
import { mainThreadTasks } from "./lib/trace.mjs";

test("a context that is full ends the answer with its reason", async ({ page }) => {
  await open(page);
  await page.getByTestId("context").selectOption("512");
  await load(page);
  await choose(page, "chat", { "max-tokens": 8_000, temperature: 0, "repetition-penalty": 1 });
  const numbers = Array.from({ length: 110 }, (_, index) => index + 1).join(", ");
  const { reason } = await ask(page, `Go on counting up to one thousand: ${numbers},`);
  expect(reason).toBe("context-full");
  await expect(page.getByTestId("finish-reason")).toContainText("Context full");
});

test("no task on the main thread is longer than 50 ms while the model loads and answers", async ({ page }) => {
  await open(page);
  // What the page does to start is not asked about here.
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(() => resolve())));
  const tasks = await mainThreadTasks(page, async () => {
    await load(page);
    await choose(page, "chat", { "max-tokens": 100, temperature: 0 });
    await ask(page, "Write a long story about a lighthouse keeper and his dog.");
  });
  expect(tasks.length).toBeGreaterThan(100);
  // Frames with a changed answer among them: the trace holds what the page does.
  expect(tasks.filter((task) => task.cpuMs > 1).length).toBeGreaterThan(10);
  // Processor time besides time: a task that only waited for a core (the engine and other programs use them
  // too) is not the page's doing. On an idle machine both are the same.
  const long = tasks.filter((task) => task.wallMs > 50 && task.cpuMs > 50);
  expect(long).toEqual([]);
});
