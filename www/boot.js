// Starts the page's wasm, or says in plain words why it cannot start.

// A module that is valid only where WebAssembly has 128-bit SIMD: one function returning i8x16.splat(0).
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];
const REMEDY = "A current Chrome, Edge, Firefox or Safari has it.";

function explain(cause) {
  if (typeof WebAssembly !== "object") return `This browser has no WebAssembly, which Nibble needs. ${REMEDY}`;
  if (!WebAssembly.validate(new Uint8Array(SIMD))) {
    return `This browser’s WebAssembly has no 128-bit SIMD, which Nibble needs. ${REMEDY}`;
  }
  return `The page could not start: ${cause}. Load it again; if that does not help, the site’s files may be incomplete.`;
}

document.getElementById("boot").textContent = "Starting…";
try {
  const page = await import("./page.js");
  await page.default();
  // The chart code is fetched only when a chart is about to be seen.
  page.start(() => import("./charts.js"));
} catch (error) {
  console.error(error);
  const place = document.getElementById("boot") ?? document.body.appendChild(document.createElement("p"));
  place.classList.add("notice");
  place.textContent = explain(error instanceof Error ? error.message : String(error));
}
