// For everyone: keyboard only, screen readers, narrow and wide screens, light and dark.
import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "./lib/fixtures.mjs";
import { answer, ask, choose, expectReady, load, open } from "./lib/page.mjs";

/** Presses Tab until the focus is on an element with this test id. */
async function tabTo(page, testid) {
  for (let presses = 0; presses < 120; presses += 1) {
    const here = await page.evaluate(() => document.activeElement?.dataset.testid);
    if (here === testid) {
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never reaches ${testid}`);
}

test("the main job can be done with the keyboard alone", async ({ page }) => {
  await open(page);
  await tabTo(page, "load-button");
  await page.keyboard.press("Enter");
  await expectReady(page);
  await tabTo(page, "task-chat");
  await page.keyboard.press("Space");
  await tabTo(page, "prompt");
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("Write a long story about the sea.");
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction(() => window.testLog.messages.filter((m) => m.message.Token).length > 3);
  await page.keyboard.press("Escape");
  expect((await answer(page)).reason).toBe("aborted");
});

test("axe finds nothing serious, in light and dark, before and after an answer", async ({ page }) => {
  await open(page);
  const check = async (when) => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter((v) => ["serious", "critical"].includes(v.impact));
      const told = serious.map((v) => `${v.id}: ${v.nodes.map((node) => node.target).join(", ")}`);
      expect(told, `${when}, ${colorScheme}`).toEqual([]);
    }
  };
  await check("at first");
  await load(page);
  await choose(page, "chat", { "max-tokens": 16 });
  await ask(page, "Hello!");
  await check("after an answer");
  await choose(page, "classify");
  await page.getByTestId("prompt").fill("");
  await page.getByTestId("generate").click();
  await expect(page.getByTestId("error")).toBeVisible();
  await check("with a problem told");
});

for (const width of [360, 1600]) {
  test(`nothing is cut off at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    await open(page);
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await load(page);
    await choose(page, "chat", { "max-tokens": 60, temperature: 0 });
    await ask(page, `Explain this word: ${"x".repeat(300)}`);
    expect(await overflow()).toBeLessThanOrEqual(0);
  });
}
