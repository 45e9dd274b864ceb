// Browser tests of the built site. `cargo xtask test` starts the server and sets the variables read here;
// run by hand (`npx playwright test --config tests/e2e`), a server on dist/ is started.
import path from "node:path";
import { defineConfig } from "@playwright/test";
import { launchOptions } from "./browser.mjs";

const ROOT = path.join(import.meta.dirname, "../..");
const PORT = 8087;
const OUT = process.env.NIBBLE_OUT ?? path.join(ROOT, "target/e2e");
const url = process.env.NIBBLE_URL;

export default defineConfig({
  testDir: ".",
  outputDir: path.join(OUT, "results"),
  reporter: [["list"], ["json", { outputFile: path.join(OUT, "report.json") }]],
  // The tests share two cores with the model they run; side by side they would only wait for each other.
  workers: 1,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  // Long enough for a slow machine: no test passes or fails by being faster.
  timeout: 300_000,
  expect: { timeout: 60_000 },
  use: {
    baseURL: url ?? `http://127.0.0.1:${PORT}`,
    browserName: "chromium",
    launchOptions,
    screenshot: "only-on-failure",
  },
  webServer: url
    ? undefined
    : {
        command: `cargo xtask serve --port ${PORT}`,
        cwd: ROOT,
        url: `http://127.0.0.1:${PORT}`,
        reuseExistingServer: true,
        timeout: 600_000,
      },
});
