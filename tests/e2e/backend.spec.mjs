// Without a GPU: the processor runs whatever was asked for, says why, and can be measured.
import { expect, test } from "./lib/fixtures.mjs";
import { messages } from "./lib/instrument.mjs";
import { expectUsable, figure, last, load, open } from "./lib/page.mjs";

for (const preference of ["Automatic", "Gpu"]) {
  test(`without an adapter and with ${preference}, the processor runs and the reason is told`, async ({ page }) => {
    await open(page);
    await page.getByTestId("backend-preference").selectOption(preference);
    await load(page);
    await expect(page.getByTestId("backend")).toHaveAttribute("data-value", "cpu-simd");
    await expect(page.getByTestId("device-webgpu")).toHaveAttribute("data-mark", "Absent");
    await expect(page.getByTestId("backend-reason")).toContainText("adapter");
    await expect(page.getByTestId("check-agreement")).toHaveCount(0);
    const [ready] = await messages(page, "worker", "Ready");
    expect(ready.body.gpu.None).toContain("adapter");
    expect((await last(page, "Loaded")).backend.check).toBeNull();
    await expectUsable(page);
  });
}

test("another backend is offered with a loaded model, and loads it again", async ({ page }) => {
  await open(page);
  await page.getByTestId("backend-preference").selectOption("Cpu");
  await load(page);
  await expect(page.getByTestId("load-again")).toHaveCount(0);
  await expect(page.getByTestId("backend-reason")).toContainText("asked for");
  await page.getByTestId("backend-preference").selectOption("Gpu");
  await expect(page.getByTestId("load-again")).toHaveText("Load with the GPU");
  await page.getByTestId("load-again").click();
  await expect(page.getByTestId("backend-reason")).toContainText("adapter");
  const asked = (await messages(page, "page", "Load")).map((message) => message.body.backend);
  expect(asked).toEqual(["Cpu", "Gpu"]);
  await expectUsable(page);
});

test("the processor is measured on demand, and a measurement can be stopped", async ({ page }) => {
  await open(page);
  await page.getByTestId("bench").locator("summary").click();
  await expect(page.getByTestId("bench-start")).toBeDisabled();
  await load(page);
  await page.getByTestId("bench-start").click();
  await expect(page.getByTestId("generate")).toBeDisabled();
  await page.getByTestId("bench-stop").click();
  await expect(page.getByTestId("bench-start")).toBeVisible();
  await expect(page.getByTestId("bench-result")).toHaveCount(0);
  await page.getByTestId("bench-start").click();
  await expect(page.getByTestId("bench-result")).toHaveAttribute("data-backend", "cpu-simd", { timeout: 120_000 });
  const { asked, decode_tokens_per_s } = await last(page, "Benched");
  expect(asked).toEqual({ prefill: 128, decode: 64, runs: 3 });
  expect(await figure(page, "bench-decode")).toBe(decode_tokens_per_s);
  for (const testid of ["bench-prefill", "bench-decode", "bench-ttft"]) {
    expect(await figure(page, testid)).toBeGreaterThan(0);
  }
  // What only a GPU has.
  await expect(page.getByTestId("bench-dispatches")).toHaveCount(0);
  await expectUsable(page);
});
