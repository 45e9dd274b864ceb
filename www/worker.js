// Entry of the engine's worker: loads the wasm module, and reports what Rust cannot: its own traps.
import "./webgpu.js";
import { load } from "./engines.js";

let engine;

// A trap (memory exhausted, stack overflow, abort after a panic) ends the instance in mid-call.
const report = (cause) => {
  const text = String(cause?.message ?? cause);
  try {
    engine.report_trap(text);
  } catch {
    // The instance cannot even say so, or never came to be.
    const message = `its module could not run: ${text}`;
    const failure = { operation: "Start", id: null, kind: "Internal", message };
    self.postMessage([JSON.stringify({ Failed: failure })]);
  }
};
self.addEventListener("error", (event) => report(event.error ?? event.message));
self.addEventListener("unhandledrejection", (event) => report(event.reason));

engine = await load();
await engine.default();
await engine.start();
