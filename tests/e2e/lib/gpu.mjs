// WebGPU in the tests: a software adapter that every machine has, and ways to break it from outside the product.
import { launchOptions } from "../browser.mjs";
import { startProxy } from "./proxy.mjs";

/** Chromium with SwiftShader, a WebGPU adapter that is a program on the processor. */
export const withAdapter = {
  ...launchOptions,
  args: [...launchOptions.args, "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
};

/** Where a page tells the worker that its device is to be lost. */
const CHANNEL = "lose-the-device";

/**
 * What can be done to the worker's WebGPU before the engine starts. Each runs in the worker, by itself; nothing
 * of the product knows of it.
 */
export const breakages = {
  /** Lets `loseDevice` lose the device at any time. */
  losable(channel) {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await requestDevice.apply(this, args);
      new BroadcastChannel(channel).onmessage = () => device.destroy();
      return device;
    };
  },

  /** Every large buffer is asked for beyond what any device has. */
  beyondLimits() {
    const { createBuffer } = GPUDevice.prototype;
    GPUDevice.prototype.createBuffer = function (wanted) {
      const size = wanted.size > 1_000_000 ? 2 ** 50 : wanted.size;
      return createBuffer.call(this, { ...wanted, size });
    };
  },

  /** The device says of the first allocation that is watched that memory ran out. */
  outOfMemory() {
    const { pushErrorScope, popErrorScope } = GPUDevice.prototype;
    const filters = [];
    GPUDevice.prototype.pushErrorScope = function (filter) {
      filters.push(filter);
      return pushErrorScope.call(this, filter);
    };
    GPUDevice.prototype.popErrorScope = async function () {
      const error = await popErrorScope.call(this);
      return filters.pop() === "out-of-memory" ? new GPUOutOfMemoryError("a test said so") : error;
    };
  },

  /** Puts `to` for `from` into every shader that has it. */
  alteredShader([from, to]) {
    const { createShaderModule } = GPUDevice.prototype;
    GPUDevice.prototype.createShaderModule = function (module) {
      return createShaderModule.call(this, { ...module, code: module.code.replaceAll(from, to) });
    };
  },

  /** An adapter with these limits, and nothing that WebGPU does not promise. More than that is refused. */
  plainAdapter(limits) {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = function (wanted) {
      const over = Object.keys(limits).filter((name) => wanted.requiredLimits[name] > limits[name]);
      const extra = [...(wanted.requiredFeatures ?? [])];
      return over.length + extra.length > 0
        ? Promise.reject(new TypeError(`more than there is: ${[...over, ...extra]}`))
        : requestDevice.call(this, wanted);
    };
    // A device never has less than WebGPU's default, so smaller limits are held here.
    const { createBuffer } = GPUDevice.prototype;
    GPUDevice.prototype.createBuffer = function (wanted) {
      const size = wanted.size > limits.maxBufferSize ? 2 ** 50 : wanted.size;
      return createBuffer.call(this, { ...wanted, size });
    };
    const own = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, "limits").get;
    Object.defineProperty(GPUAdapter.prototype, "limits", {
      get() {
        const real = own.call(this);
        return new Proxy(real, { get: (_, name) => limits[name] ?? real[name] });
      },
    });
    Object.defineProperty(GPUAdapter.prototype, "features", { get: () => new Set() });
    Object.defineProperty(GPU.prototype, "wgslLanguageFeatures", { get: () => new Set() });
  },
};

/** A proxy to `target` behind which the worker begins with `breakage(argument)`. */
export function startBroken(target, breakage, argument = CHANNEL) {
  // A method's text lacks the word.
  const before = `(function ${breakage})(${JSON.stringify(argument)});\n`;
  return startProxy(target, (request) => (request.url.startsWith("/worker.js") ? { before } : undefined));
}

/** Loses the device of a worker that was made losable. */
export function loseDevice(page) {
  return page.evaluate((channel) => new BroadcastChannel(channel).postMessage("now"), CHANNEL);
}
