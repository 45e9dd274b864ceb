// The browser that every script here starts: Chromium as the system has it, talking to nobody but the page.
import { execFileSync } from "node:child_process";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/** Path of Chromium: what xtask found, or what PATH leads to. */
function executable() {
  if (process.env.NIBBLE_CHROMIUM) {
    return process.env.NIBBLE_CHROMIUM;
  }
  for (const name of NAMES) {
    try {
      return execFileSync("which", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      // Not under this name; the next one.
    }
  }
  throw new Error(`none of ${NAMES.join(", ")} is on PATH; run: cargo xtask setup`);
}

/** For Playwright's `launch`, `launchPersistentContext` and `use.launchOptions`. */
export const launchOptions = {
  executablePath: executable(),
  args: [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

/**
 * Flags with which Chromium gives pages a WebGPU adapter. `swiftshader` is a program on the processor, there on every
 * machine; `default` is the machine's own GPU, if it has one; `none` is no adapter, as without any flag.
 */
export function adapterArgs(adapter) {
  if (adapter === "none") {
    return [];
  }
  const flags = ["--enable-unsafe-webgpu", `--use-webgpu-adapter=${adapter}`];
  // On Linux Chromium reaches a GPU through Vulkan only where it is asked to.
  return adapter === "swiftshader" ? flags : [...flags, "--enable-features=Vulkan"];
}
