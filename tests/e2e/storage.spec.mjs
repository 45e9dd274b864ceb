// Where the model comes from: the network once, this browser's storage after that, and never altered.
import crypto from "node:crypto";
import fs from "node:fs";
import { expect, test, MODEL } from "./lib/fixtures.mjs";
import { messages } from "./lib/instrument.mjs";
import { expectReady, expectUsable, load, open, problem } from "./lib/page.mjs";
import { startProxy } from "./lib/proxy.mjs";

const bytes = fs.statSync(MODEL).size;
const isModel = (request) => request.url.endsWith(".gguf");

/** A proxy before the real server, for as long as the test runs. */
const proxied = test.extend({
  between: async ({ baseURL }, use) => {
    const proxy = await startProxy(baseURL);
    await use(proxy);
    await proxy.close();
  },
});

function sha256(data) {
  return crypto.createHash("sha256").update(data).digest("hex");
}

test("a second visit loads from storage and asks the network for nothing of the model", async ({ visit }) => {
  const first = await visit();
  await open(first);
  await load(first);
  await expect(first.getByTestId("model-status")).toHaveAttribute("data-storage", "false");
  const second = await visit();
  await open(second);
  await load(second);
  await expect(second.getByTestId("model-status")).toHaveAttribute("data-storage", "true");
  expect(second.requested.filter((url) => url.endsWith(".gguf"))).toEqual([]);
  await expectUsable(second);
});

test("a stored model can be forgotten, and is then fetched again", async ({ page }) => {
  await open(page);
  await load(page);
  await page.reload();
  await page.getByTestId("forget-models").click();
  await expect(page.getByTestId("forgotten")).toContainText("98");
  await load(page);
  await expect(page.getByTestId("model-status")).toHaveAttribute("data-storage", "false");
});

proxied("an interrupted download says so and goes on where it broke", async ({ page, between: proxy }) => {
  proxy.rule = (request) => (isModel(request) ? { cutAt: 40_000_000 } : undefined);
  await open(page, proxy.url);
  await page.getByTestId("load-button").click();
  const text = await problem(page);
  expect(text).toContain("SmolLM2-135M-Instruct.Q4_1.gguf");
  expect(text).toMatch(/connection broke/);
  proxy.rule = () => undefined;
  await load(page);
  const asked = proxy.requests.filter(isModel);
  expect(asked.length).toBe(2);
  const from = Number(/^bytes=(\d+)-$/.exec(asked[1].range)[1]);
  expect(from).toBeGreaterThan(0);
  expect(from).toBeLessThanOrEqual(40_000_000);
  await expectUsable(page);
});

proxied("a cancelled download keeps what came", async ({ page, between: proxy }) => {
  proxy.rule = (request) => (isModel(request) ? { stallAt: 20_000_000 } : undefined);
  await open(page, proxy.url);
  await page.getByTestId("load-button").click();
  await expect(page.getByTestId("load-progress")).toHaveAttribute("data-stage", "download");
  await page.waitForFunction(() => window.testLog.messages.some(({ message }) => message.LoadProgress?.done > 0));
  await page.getByTestId("load-cancel").click();
  await expect(page.getByTestId("load-button")).toBeVisible();
  await expect(page.getByTestId("error")).toBeHidden();
  proxy.rule = () => undefined;
  await load(page);
  expect(proxy.requests.filter(isModel)[1].range).toMatch(/^bytes=[1-9]\d*-$/);
});

for (const [name, fault, alter] of [
  ["one bit altered", { flipAt: 50_000_000 }, (data) => void (data[50_000_000] ^= 1)],
  ["its end missing", { endAt: 60_000_000 }, (data) => data.subarray(0, 60_000_000)],
]) {
  proxied(`a file with ${name} is refused by name with both hashes`, async ({ page, between: proxy }) => {
    proxy.rule = (request) => (isModel(request) ? fault : undefined);
    await open(page, proxy.url);
    await page.getByTestId("load-button").click();
    const text = await problem(page);
    const model = fs.readFileSync(MODEL);
    const expected = sha256(model);
    const altered = alter(model) ?? model;
    expect(text).toContain("SmolLM2-135M-Instruct.Q4_1.gguf");
    expect(text).toContain(expected);
    expect(text).toContain(sha256(altered));
    // Nothing of it was kept: the next try asks for the whole file, and is right.
    proxy.rule = () => undefined;
    await load(page);
    expect(proxy.requests.filter(isModel).map((request) => request.range)).toEqual([undefined, undefined]);
  });
}

test("a damaged copy in storage is noticed and fetched again", async ({ page }) => {
  await open(page);
  await load(page);
  await page.reload();
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("models");
    for await (const handle of folder.values()) {
      const writer = await handle.createWritable({ keepExistingData: true });
      await writer.write({ type: "write", position: 1_000_000, data: new Uint8Array([1, 2, 3, 4]) });
      await writer.close();
    }
  });
  await load(page);
  await expect(page.getByTestId("model-status")).toHaveAttribute("data-storage", "false");
});

test("without a model server the page says so and stays usable", async ({ page }) => {
  await page.route("**/models/**", (route) => route.fulfill({ status: 404, body: "no" }));
  await page.goto("/");
  await expect(page.getByTestId("catalogue-missing")).toContainText("404");
  await page.getByTestId("file-input").setInputFiles(MODEL);
  await expectReady(page);
  await expectUsable(page);
});

for (const [name, fault, says] of [
  ["is not there", { status: 404 }, /answered 404/],
  ["is forbidden", { status: 403 }, /answered 403/],
  ["cannot be reached", { cutAt: 0 }, /could not be reached|connection broke/],
]) {
  proxied(`a model that ${name} is told by name, and the page stays usable`, async ({ page, between: proxy }) => {
    proxy.rule = (request) => (isModel(request) ? fault : undefined);
    await open(page, proxy.url);
    await page.getByTestId("load-button").click();
    const text = await problem(page);
    expect(text).toContain("SmolLM2-135M-Instruct.Q4_1.gguf");
    expect(text).toMatch(says);
    proxy.rule = () => undefined;
    await load(page);
    await expectUsable(page);
  });
}

test("without storage the model is fetched and used all the same", async ({ page }) => {
  // As in a browser whose workers have no synchronous file access.
  await page.route("**/worker.js?*", async (route) => {
    const response = await route.fetch();
    const body = `delete FileSystemFileHandle.prototype.createSyncAccessHandle;\n${await response.text()}`;
    await route.fulfill({ response, body });
  });
  await open(page);
  await load(page);
  expect((await messages(page, "worker", "Ready"))[0].body.storage).toBe(false);
  await expectUsable(page);
});
