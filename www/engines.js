// The engine's builds, and the one that this worker's address asks for: `…?engine=NAME`.

/** Every build. A name that is not one of them is never imported, whatever the address says. */
const ENGINES = ["engine-simd128", "engine-relaxed", "engine-simd128-threads", "engine-relaxed-threads"];

const asked = new URL(self.location.href).searchParams.get("engine");

/** Imports the module that is asked for, or the one that runs everywhere. */
export const load = () => import(`./${ENGINES.includes(asked) ? asked : ENGINES[0]}.js`);
