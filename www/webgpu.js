// Two things that wgpu cannot do in a browser, done around it. Each leaves word for the engine's worker.

// Asks for subgroups where the adapter has them: wgpu's list of WebGPU features lacks this one
// (https://github.com/gfx-rs/wgpu/issues/10146). To be deleted when it does.
const adapters = globalThis.GPUAdapter?.prototype;
if (adapters) {
  const { requestDevice } = adapters;
  adapters.requestDevice = function (descriptor) {
    if (!this.features.has("subgroups")) {
      return requestDevice.call(this, descriptor);
    }
    const requiredFeatures = [...(descriptor?.requiredFeatures ?? []), "subgroups"];
    return requestDevice.call(this, { ...descriptor, requiredFeatures });
  };
}

// Notes whether subgroups will be there, and what the adapter calls itself: wgpu reports its description only,
// which is mostly empty.
const gpu = globalThis.GPU?.prototype;
if (gpu) {
  const { requestAdapter } = gpu;
  gpu.requestAdapter = async function (options) {
    const adapter = await requestAdapter.call(this, options);
    const { vendor, architecture, description } = adapter?.info ?? {};
    globalThis.nibbleSubgroups = adapter?.features.has("subgroups") ?? false;
    globalThis.nibbleAdapter = [vendor, description || architecture].filter(Boolean).join(" ");
    return adapter;
  };
}
