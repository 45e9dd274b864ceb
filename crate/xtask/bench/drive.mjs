// Drives the bench page in headless Chromium and prints every sample as one JSON object.
import { chromium } from "@playwright/test";
import { launchOptions } from "../../../tests/e2e/browser.mjs";

const { NIBBLE_URL: url, NIBBLE_JOB: job } = process.env;
const { model, messages, before, maxTokens, context, rounds } = JSON.parse(job);

const browser = await chromium.launch(launchOptions);
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`    page: ${error}`));
  await page.goto(`${url}/bench/index.html`);
  await page.waitForFunction(() => window.measure);
  const load = await page.evaluate(([model, context]) => window.load(model, context), [model, context]);
  const samples = { nibble: [], wllama: [] };
  // The first round warms caches and compilers up and is not counted.
  for (let round = 0; round <= rounds; round += 1) {
    const order = round % 2 === 0 ? ["nibble", "wllama"] : ["wllama", "nibble"];
    for (const name of order) {
      const sample = await page.evaluate(
        ([name, job]) => window.measure(name, job),
        [name, { messages, before, maxTokens }],
      );
      const { prefill, decode } = sample;
      console.error(`    round ${round}: ${name} prefill ${prefill.toFixed(1)}, decode ${decode.toFixed(1)} tok/s`);
      if (round > 0) {
        samples[name].push(sample);
      }
    }
  }
  console.log(JSON.stringify({ browser: `Chromium ${browser.version()}`, load_ms: load, samples }));
} finally {
  await browser.close();
}
