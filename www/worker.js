// Entry of the engine's worker: loads the wasm module, and reports what Rust cannot: its own traps.
import "./webgpu.js";
import init, { report_trap, start } from "./engine-simd128.js";

// A trap (memory exhausted, stack overflow, abort after a panic) ends the instance in mid-call.
const report = (cause) => {
  const text = String(cause?.message ?? cause);
  try {
    report_trap(text);
  } catch {
    // The instance cannot even say so, or never came to be.
    const message = `the engine could not run: ${text}; reload the page, or try a newer browser`;
    const failure = { operation: "Start", id: null, kind: "Internal", message };
    self.postMessage([JSON.stringify({ Failed: failure })]);
  }
};
self.addEventListener("error", (event) => report(event.error ?? event.message));
self.addEventListener("unhandledrejection", (event) => report(event.reason));

await init();
await start();
