// Models that a visitor keeps on this device: listed, used without the network, saved elsewhere, deleted one by one.
import fs from "node:fs";
import path from "node:path";
import { expect, test, GEMMA, MODEL } from "./lib/fixtures.mjs";
import { gguf, LLAMA } from "./lib/gguf.mjs";
import { ask, choose, expectReady, figure, load, open, problem } from "./lib/page.mjs";

const NAME = "my own.gguf";

/** The real model under a name of the visitor's. */
function own(info, name = NAME) {
  const file = info.outputPath(name);
  fs.mkdirSync(info.outputDir, { recursive: true });
  fs.linkSync(MODEL, file);
  return file;
}

/** The row of a stored model. */
function row(page, name) {
  return page.getByTestId("stored-model").filter({ hasText: name });
}

async function keep(page, file) {
  await page.getByTestId("keep-file").check();
  await page.getByTestId("file-input").setInputFiles(file);
  await expectReady(page);
  await expect(page.getByTestId("not-kept")).toHaveCount(0);
}

/** Drops a file of the disk on the model's card: a drop hands over what a chosen file is. */
async function drop(page, file) {
  await page.evaluate(() => {
    const input = Object.assign(document.createElement("input"), { type: "file", id: "dropped", hidden: true });
    document.body.append(input);
  });
  await page.locator("#dropped").setInputFiles(file);
  await page.evaluate(() => {
    const input = document.getElementById("dropped");
    const data = new DataTransfer();
    data.items.add(input.files[0]);
    input.remove();
    const card = document.querySelector(".card.model");
    card.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
}

test("Gemma, dropped and kept, answers the same offline at the next visit; one model deleted leaves the other", async ({ visit }) => {
  const gemma = path.basename(GEMMA);
  const say = async (page) => {
    await choose(page, "chat", { "max-tokens": 12, temperature: 0 });
    const { text } = await ask(page, "What is the capital of France?");
    expect(text.trim().length).toBeGreaterThan(0);
    return text;
  };
  const first = await visit();
  await open(first);
  await load(first);
  await expect(row(first, "SmolLM2")).toContainText("from this site");
  await first.getByTestId("keep-file").check();
  await drop(first, GEMMA);
  await expectReady(first);
  await expect(first.getByTestId("not-kept")).toHaveCount(0);
  await expect(row(first, gemma)).toContainText("a file you chose");
  const answer = await say(first);

  const second = await visit();
  await open(second);
  await expect(second.getByTestId("stored-model")).toHaveCount(2);
  await expect(row(second, gemma)).toContainText("253 MB");
  await expect(row(second, gemma)).toContainText("used");
  await expect(second.getByTestId("stored-room")).toContainText("This site uses");
  await expect(second.getByTestId("model-picker").getByRole("radio")).toHaveCount(2);
  await second.context().setOffline(true);
  await row(second, gemma).getByTestId("stored-use").click();
  await expectReady(second);
  await expect(second.getByTestId("model-status")).toHaveAttribute("data-storage", "true");
  expect(await say(second)).toBe(answer);
  await second.context().setOffline(false);

  await row(second, "SmolLM2").getByTestId("stored-delete").click();
  await expect(second.getByTestId("stored-model")).toHaveCount(1);
  await expect(row(second, gemma)).toBeVisible();
  expect(second.requested.filter((url) => url.endsWith(".gguf"))).toEqual([]);
});

test("speeds are predicted before anything has run, and the prediction is judged by the first answer", async ({ page }) => {
  await open(page);
  await page.getByTestId("backend-preference").selectOption("Cpu");
  await expect(page.getByTestId("predicted")).toHaveCount(0);
  await page.getByTestId("probe").click();
  const predicted = page.getByTestId("predicted");
  await expect(predicted.first()).toContainText(/about [\d,]+ tok\/s.*reading/, { timeout: 60_000 });
  await expect(predicted.first().locator(".origin")).toHaveText("predicted");
  await expect(page.getByTestId("pace").locator(".origin-measured")).toBeVisible();
  expect(await figure(page, "pace")).toBeGreaterThan(0);
  expect(page.requested.filter((url) => url.endsWith(".gguf"))).toEqual([]);
  await load(page);
  await expect(page.getByTestId("prediction")).toHaveCount(0);
  await choose(page, "chat", { "max-tokens": 30, temperature: 0 });
  await ask(page, "Write a long story about a lighthouse keeper and his dog.");
  await expect(page.getByTestId("prediction")).toContainText(/predicted [\d,]+ tok\/s, measured [\d,]+, off by [+−]\d+ %/);
});

test("a stored model is saved as the very file that was kept", async ({ page }, info) => {
  await open(page);
  const file = own(info);
  await keep(page, file);
  const [download] = await Promise.all([page.waitForEvent("download"), row(page, NAME).getByTestId("stored-save").click()]);
  expect(download.suggestedFilename()).toBe(NAME);
  expect(fs.readFileSync(await download.path()).equals(fs.readFileSync(file))).toBe(true);
});

test("a file that is not to be kept leaves nothing behind", async ({ page }, info) => {
  await open(page);
  await page.getByTestId("file-input").setInputFiles(own(info));
  await expectReady(page);
  const there = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const names = [];
    for await (const name of root.keys()) names.push(name);
    return names.filter((name) => name !== "reports");
  });
  expect(there).toEqual([]);
  await expect(page.getByTestId("stored-model")).toHaveCount(0);
});

test("a dropped file is loaded", async ({ page }) => {
  await open(page);
  // A file of the page's own making: what a drop hands over is a File all the same.
  const bytes = [...gguf({ metadata: LLAMA })];
  await page.evaluate((bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "dropped.gguf"));
    const card = document.querySelector(".card.model");
    card.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, bytes);
  expect(await problem(page)).toContain("dropped.gguf");
});

test("one file of several is refused by the name of the one that is missing", async ({ page }, info) => {
  await open(page);
  const name = "tiny-00001-of-00002.gguf";
  const file = info.outputPath(name);
  fs.writeFileSync(file, gguf({ metadata: { ...LLAMA, "split.count": 2, "split.no": 0 } }));
  await page.getByTestId("file-input").setInputFiles(file);
  expect(await problem(page)).toContain("tiny-00002-of-00002.gguf is missing");
});

test("a file is looked into before it runs", async ({ page }, info) => {
  await open(page);
  await page.getByTestId("inspect-input").setInputFiles(MODEL);
  const inspected = page.getByTestId("inspected");
  await expect(page.getByTestId("inspected-runs")).toHaveAttribute("data-value", "yes");
  await expect(inspected).toContainText("apache-2.0");
  await expect(page.getByTestId("inspected-types").getByRole("row")).toHaveCount(3);
  await expect(page.getByTestId("inspected-types")).toContainText("Q4_1");
  await page.getByTestId("inspected-close").click();
  await expect(inspected).toHaveCount(0);
  // One that cannot be run is looked into all the same.
  const file = info.outputPath("other.gguf");
  fs.writeFileSync(file, gguf({ metadata: { "general.architecture": "mamba", "general.license": "MIT" } }));
  await page.getByTestId("inspect-input").setInputFiles(file);
  await expect(page.getByTestId("inspected-runs")).toHaveAttribute("data-value", "no");
  await expect(page.getByTestId("inspected-runs")).toContainText("mamba");
});
