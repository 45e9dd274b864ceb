// What every test starts from: a fresh browser profile, watched from the first byte to the last.
import fs from "node:fs";
import path from "node:path";
import { test as base, expect } from "@playwright/test";
import { instrument } from "./instrument.mjs";

export { expect };

/** The real model, as `cargo xtask build` put it beside the page. */
export const MODEL = fs
  .readdirSync(path.join(import.meta.dirname, "../../../dist/models"))
  .filter((name) => name.endsWith(".gguf"))
  .map((name) => path.join(import.meta.dirname, "../../../dist/models", name))[0];

/** Notes what no test may ever see, whatever it is about. */
export async function watch(context) {
  const seen = { requests: [], broken: [] };
  await context.addInitScript(instrument);
  context.on("request", (request) => seen.requests.push(request.url()));
  context.on("weberror", (event) => seen.broken.push(String(event.error())));
  context.on("console", (message) => {
    if (/Content Security Policy|panicked/.test(message.text())) {
      seen.broken.push(message.text());
    }
  });
  return seen;
}

/** No request left `origin`, no policy was violated, nothing was thrown. */
export async function expectClean(seen, pages, origin) {
  const elsewhere = seen.requests.filter((url) => !url.startsWith(origin) && !url.startsWith("blob:" + origin));
  expect(elsewhere, "requests that left the origin").toEqual([]);
  expect(seen.broken, "errors on the page").toEqual([]);
  for (const page of pages) {
    const violations = await page.evaluate(() => window.testLog?.violations ?? []);
    expect(violations, "violations of the Content-Security-Policy").toEqual([]);
  }
}

export const test = base.extend({
  context: async ({ context, baseURL }, use) => {
    const seen = await watch(context);
    await use(context);
    const open = context.pages().filter((page) => page.url().startsWith("http"));
    const origins = new Set(open.map((page) => new URL(page.url()).origin));
    const [origin = baseURL] = origins;
    await expectClean(seen, open, origin);
  },
});
