// Asks for subgroups where the adapter has them. wgpu cannot: its list of WebGPU features lacks this one
// (https://github.com/gfx-rs/wgpu/issues/10146). To be deleted when it does.
const adapter = globalThis.GPUAdapter?.prototype;
if (adapter) {
  const { requestDevice } = adapter;
  adapter.requestDevice = function (descriptor) {
    if (!this.features.has("subgroups")) {
      return requestDevice.call(this, descriptor);
    }
    const requiredFeatures = [...(descriptor?.requiredFeatures ?? []), "subgroups"];
    // The engine reads this to know that its subgroup kernels can be tried.
    globalThis.nibbleSubgroups = true;
    return requestDevice.call(this, { ...descriptor, requiredFeatures });
  };
}
