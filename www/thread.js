// A thread that computes beside the engine's worker, on its module and its memory.
import { load } from "./engines.js";

/** Bytes of a thread's own stack; the kernels keep little there. */
const STACK = 1 << 18;

self.onmessage = async ({ data: [module, memory, number, broken] }) => {
  let running = false;
  try {
    const { default: init, run_thread } = await load();
    const { __wbindgen_thread_destroy: freeStack } = await init({
      module_or_path: module,
      memory,
      thread_stack_size: STACK,
    });
    self.postMessage("started");
    running = true;
    run_thread(number);
    running = false;
    freeStack();
  } catch (error) {
    // A trap ends the thread in mid-call. Those that wait for it look at this flag; it lives as long as the call
    // that never ended, and no longer.
    if (running) Atomics.store(new Int32Array(memory.buffer), broken / 4, 1);
    self.postMessage(String(error?.message ?? error));
  }
  self.close();
};
