// A visitor's own files, good and bad.
import fs from "node:fs";
import { expect, test, MODEL } from "./lib/fixtures.mjs";
import { badFiles } from "./lib/gguf.mjs";
import { expectReady, expectUsable, open, problem } from "./lib/page.mjs";

test("a file that is no model gets a sentence with its name and the cause", async ({ page }, info) => {
  test.setTimeout(240_000);
  await open(page);
  for (const { name, bytes, says } of badFiles(fs.readFileSync(MODEL))) {
    await test.step(name, async () => {
      const file = info.outputPath(name);
      fs.writeFileSync(file, bytes);
      await page.getByTestId("file-input").setInputFiles(file);
      const text = await problem(page);
      fs.rmSync(file);
      expect(text.toLowerCase()).toContain(name);
      expect(text).toMatch(says);
      await expect(page.getByTestId("load-button")).toBeEnabled();
    });
  }
  await page.getByTestId("file-input").setInputFiles(MODEL);
  await expectReady(page);
  await expectUsable(page);
});

test("a model of one's own is read where it lies, without the network", async ({ page }) => {
  await open(page);
  await page.getByTestId("file-input").setInputFiles(MODEL);
  await expectReady(page);
  expect(page.requested.filter((url) => url.endsWith(".gguf"))).toEqual([]);
  await page.getByTestId("forget-models").click();
  await expect(page.getByTestId("forgotten")).toContainText("No models were stored");
  await expectUsable(page);
});
