// Starts the page's wasm, or says in plain words why it cannot start.
const status = document.getElementById("boot");

function explain(cause) {
  if (typeof WebAssembly !== "object") {
    return "This browser has no WebAssembly, which Nibble needs. A current Chrome, Edge, Firefox or Safari has it.";
  }
  return `The page could not start: ${cause}. Load it again; if that does not help, the site's files may be incomplete.`;
}

status.textContent = "Starting…";
try {
  const page = await import("./page.js");
  await page.default();
  // The chart code is fetched only when a chart is first seen.
  page.start(() => import("./charts.js"));
} catch (error) {
  console.error(error);
  const text = explain(error instanceof Error ? error.message : String(error));
  const place = document.getElementById("boot") ?? document.body;
  place.classList.add("notice");
  place.textContent = text;
}
