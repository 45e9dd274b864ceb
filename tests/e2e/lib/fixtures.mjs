// What every test starts from: a fresh browser profile, watched from the first byte to the last.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test as base, expect } from "@playwright/test";
import { instrument } from "./instrument.mjs";

export { expect };

/** The real model, where `cargo xtask model fetch` puts it. */
export const MODEL = path.join(import.meta.dirname, "../../../models/SmolLM2-135M-Instruct.Q4_1.gguf");

/** A model of another architecture, tokenizer and mix of types, without a chat template: Gemma 3 270M in Q4_K_M. */
export const GEMMA = path.join(import.meta.dirname, "../../../models/gemma-3-270m-q4_k_m.gguf");

/** Notes what no test may ever see, whatever it is about. */
async function watch(context) {
  const broken = [];
  await context.addInitScript(instrument);
  context.on("page", (page) => {
    page.requested = [];
    page.on("request", (request) => page.requested.push(request.url()));
  });
  context.on("weberror", (event) => broken.push(String(event.error())));
  context.on("console", (message) => {
    if (/Content Security Policy|panicked/.test(message.text())) {
      broken.push(message.text());
    }
  });
  return broken;
}

/** No request left the page's origin, no policy was violated, nothing was thrown. */
async function expectClean(context, broken) {
  expect(broken, "errors on the page").toEqual([]);
  for (const page of context.pages().filter((page) => page.url().startsWith("http"))) {
    const { origin } = new URL(page.url());
    const elsewhere = page.requested.filter((url) => new URL(url).origin !== origin);
    expect(elsewhere, "requests that left the origin").toEqual([]);
    const violations = await page.evaluate(() => window.testLog.violations);
    expect(violations, "violations of the Content-Security-Policy").toEqual([]);
  }
}

/** A context for the tests of one file together: `{ context, leave }`; `leave` is for `afterAll`. */
export async function share(browser, { baseURL }) {
  const context = await browser.newContext({ baseURL });
  const broken = await watch(context);
  const leave = async () => {
    await expectClean(context, broken);
    await context.close();
  };
  return { context, leave };
}

export const test = base.extend({
  context: async ({ context }, use) => {
    const broken = await watch(context);
    await use(context);
    await expectClean(context, broken);
  },

  /** `await visit()` starts a browser on one profile, as a visitor who comes back does; ends the one before. */
  visit: async ({ playwright, baseURL, launchOptions }, use) => {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), "nibble-profile-"));
    let leave = async () => {};
    await use(async () => {
      await leave();
      const context = await playwright.chromium.launchPersistentContext(profile, { ...launchOptions, baseURL });
      const broken = await watch(context);
      leave = async () => {
        await expectClean(context, broken);
        await context.close();
      };
      return await context.newPage();
    });
    await leave();
    fs.rmSync(profile, { recursive: true });
  },
});
