// What the browser's own trace says of the page's main thread.

/** Runs `work` under a trace and returns the page's main-thread tasks: `[{ wallMs, cpuMs }]`. */
export async function mainThreadTasks(page, work) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["-*", "__metadata", "disabled-by-default-devtools.timeline"] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const name = (event) => `${event.pid}:${event.tid}`;
  const main = new Set(
    traceEvents.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map(name),
  );
  return traceEvents
    .filter((event) => event.name === "RunTask" && main.has(name(event)))
    .map((event) => ({ wallMs: event.dur / 1000, cpuMs: event.tdur / 1000 }));
}
