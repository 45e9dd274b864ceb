// What the browser's own trace says of the page's main thread.

/**
 * Runs `work` under a trace and returns the page's main-thread tasks: `[{ wallMs, cpuMs }]`. What the page has done in a
 * task are calls, events, layout, painting, garbage; what a test's driver evaluates there leaves none of these. A task
 * that is the page's by half counts whole, another one with the page's part.
 */
export async function mainThreadTasks(page, work) {
  const browser = page.context().browser();
  const categories = ["-*", "__metadata", "devtools.timeline", "disabled-by-default-devtools.timeline"];
  await browser.startTracing(page, { categories });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const name = (event) => `${event.pid}:${event.tid}`;
  const main = new Set(
    traceEvents.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map(name),
  );
  const tasks = [];
  const open = new Map();
  // An event that begins within another one is part of it.
  const events = traceEvents.filter((event) => event.ph === "X" && main.has(name(event)));
  for (const event of events.sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    const around = open.get(name(event));
    if (event.name === "RunTask") {
      const task = { wallMs: event.dur / 1000, wholeMs: event.tdur / 1000, pageMs: 0 };
      tasks.push(task);
      open.set(name(event), { task, until: event.ts });
    } else if (around && event.ts >= around.until) {
      around.task.pageMs += (event.tdur ?? 0) / 1000;
      around.until = event.ts + event.dur;
    }
  }
  return tasks.map(({ wallMs, wholeMs, pageMs }) => ({ wallMs, cpuMs: 2 * pageMs > wholeMs ? wholeMs : pageMs }));
}
