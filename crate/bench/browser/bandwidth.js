// How fast WebAssembly reads memory from start to end: one worker a thread, each over a buffer of its own.

/** In the worker: fills the buffer, then reads it again and again for as long as was asked. */
async function work({ data: { module, bytes, ms } }) {
  const { exports } = await WebAssembly.instantiate(module);
  exports.memory.grow(bytes / 65536);
  const filled = new Uint32Array(exports.memory.buffer, 0, bytes / 4).fill(3);
  let passes = 0;
  const begin = performance.now();
  let now = begin;
  while (now - begin < ms) {
    // 16 columns of bytes / 16 numbers, all 3; the sum is taken modulo 2^32.
    if (exports.sum(bytes) >>> 0 !== (3 * filled.length) % 2 ** 32) {
      throw new Error("the buffer was not read whole");
    }
    passes += 1;
    now = performance.now();
  }
  postMessage((1000 * passes * bytes) / (now - begin));
}

/** Bytes a second, all threads together. */
export async function read({ wasm, threads, bytes, ms }) {
  const module = await WebAssembly.compile(Uint8Array.from(wasm));
  const url = URL.createObjectURL(new Blob([`onmessage = ${work};`], { type: "text/javascript" }));
  const workers = Array.from({ length: threads }, () => new Worker(url));
  const rates = workers.map(
    (worker) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(`reading memory: ${event.message}`));
        worker.postMessage({ module, bytes, ms });
      }),
  );
  try {
    return (await Promise.all(rates)).reduce((sum, rate) => sum + rate);
  } finally {
    workers.forEach((worker) => worker.terminate());
  }
}
