// Drives the bench page in headless Chromium, one tab an engine: one line of JSON for each that comes in.
//
// The first line says where: url (of the bench server), profile (an empty folder). It is answered by the browser's
// version, and by the build that the page itself takes here, with its reason. Every further line is a job for the bench
// page: task, job, and tab, which is opened when it is first named and closed after the job if `close` is set.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { chromium } from "@playwright/test";
import binaryen from "binaryen";
import { launchOptions } from "../../../tests/e2e/browser.mjs";

/** ms; above what the slowest engine takes for the longest prompt. */
const PATIENCE = 15 * 60_000;

/** The streaming read as WebAssembly. */
function bandwidthModule() {
  const text = readFileSync(new URL("bandwidth.wat", import.meta.url), "utf8");
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.SIMD128);
  return Array.from(module.emitBinary());
}

const say = (answer) => console.log(JSON.stringify(answer));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { url, profile } = JSON.parse((await lines.next()).value);
// A profile on disk: without one, storage would be memory.
const browser = await chromium.launchPersistentContext(profile, launchOptions);
const tabs = new Map();

async function tab(name) {
  if (!tabs.has(name)) {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(`    ${name}: ${error}`));
    page.on("crash", () => console.error(`    ${name}: the tab crashed`));
    await page.goto(`${url}/bench/index.html`);
    await page.waitForFunction(() => window.run);
    if (!(await page.evaluate(() => crossOriginIsolated))) {
      throw new Error("the bench page is not cross-origin isolated, so no engine there can have threads");
    }
    tabs.set(name, page);
  }
  return tabs.get(name);
}

async function done({ tab: name, task, job, close }) {
  const page = await tab(name);
  const asked = task === "bandwidth" ? { ...job, wasm: bandwidthModule() } : job;
  const answer = await Promise.race([
    page.evaluate(([task, job]) => window.run(task, job), [task, asked]),
    setTimeout(PATIENCE, undefined, { ref: false }).then(() => {
      throw new Error(`${name} did not end its task (${task}) within ${PATIENCE / 60_000} minutes`);
    }),
  ]);
  if (close) {
    tabs.delete(name);
    await page.close();
  }
  return answer;
}

/** The build that the product's page takes on this machine, in a browser of its own, and its sentence about it. */
async function chosen() {
  const apart = await chromium.launch(launchOptions);
  const page = await apart.newPage();
  await page.goto(`${url}/dist/index.html`);
  const build = page.getByTestId("engine-build");
  await build.and(page.locator("[data-value^=engine]")).waitFor();
  const answer = { build: await build.getAttribute("data-value"), reason: (await build.textContent()).trim() };
  await apart.close();
  return answer;
}

try {
  const version = browser.browser()?.version() ?? (await (await tab("version")).evaluate(() => navigator.userAgent));
  say({ version, chosen: await chosen() });
  for await (const line of { [Symbol.asyncIterator]: () => lines }) {
    say(await done(JSON.parse(line)));
  }
} finally {
  await browser.close();
}
