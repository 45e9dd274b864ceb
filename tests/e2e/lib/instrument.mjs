// Runs in the page before any of its own scripts: notes what a test wants to see, and changes nothing.

/** Everything noted, at `window.testLog`. */
export function instrument() {
  const now = () => performance.timeOrigin + performance.now();
  const log = { messages: [], violations: [], workers: [] };
  window.testLog = log;

  document.addEventListener("securitypolicyviolation", (event) => {
    log.violations.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
  });

  const read = (json) => {
    try {
      return JSON.parse(json);
    } catch {
      return "no message";
    }
  };
  // Files and the bell travel beside the messages.
  const texts = (data) => (Array.isArray(data) ? data.filter((part) => typeof part === "string") : ["no message"]);
  const note = (from, data) => texts(data).forEach((json) => log.messages.push({ from, at: now(), message: read(json) }));
  window.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      log.workers.push(this);
      this.addEventListener("message", (event) => note("worker", event.data));
    }
    postMessage(data, ...rest) {
      note("page", data);
      super.postMessage(data, ...rest);
    }
  };
}

/** Messages of one kind, in order: `messages(page, "worker", "Token")`. */
export async function messages(page, from, kind) {
  const all = await page.evaluate(() => window.testLog.messages);
  return all
    .map(({ message, ...rest }) => {
      const name = typeof message === "string" ? message : Object.keys(message)[0];
      return { ...rest, kind: name, body: message[name] };
    })
    .filter((m) => m.from === from && (kind === undefined || m.kind === kind));
}
