//! The GPU, as this worker's browser offers it.

use engine::gpu::{Adapter, Device, Settings};
use protocol::{FromWorker, Gpu, LoadProgress, Stage};

use crate::clock::now_ms;
use crate::js;
use crate::messages::{self, yield_now};

/// Where `webgpu.js` leaves word whether there will be subgroups, and what the adapter calls itself.
const SUBGROUPS: &str = "nibbleSubgroups";
const NAME: &str = "nibbleAdapter";

async fn adapter() -> engine::Result<Adapter> {
    let adapter = Adapter::find().await?;
    let name = js::get(&js_sys::global(), NAME).as_string().filter(|name| !name.is_empty());
    Ok(match name {
        Some(name) => adapter.called(name),
        None => adapter,
    })
}

/// The adapter, without opening it.
pub(crate) async fn found() -> Gpu {
    match adapter().await {
        Ok(adapter) => Gpu::Adapter { name: adapter.name().to_owned(), software: adapter.software() },
        Err(error) => Gpu::None(error.to_string()),
    }
}

/// Opens the GPU and makes its kernels, telling the page of each; or says why there is none.
pub(crate) async fn open(variant: Option<&str>) -> Result<Device, String> {
    prepared(variant).await.map_err(|error| error.to_string())
}

async fn prepared(variant: Option<&str>) -> engine::Result<Device> {
    let variant = variant.map(str::parse).transpose()?;
    let adapter = adapter().await?;
    let subgroups = js::get(&js_sys::global(), SUBGROUPS).is_truthy();
    let settings = Settings { variant, subgroups, ..Settings::default() };
    let mut device = adapter.open(settings).await?;
    let mut post_progress = |done: usize, total: usize| {
        messages::post(&FromWorker::LoadProgress(LoadProgress {
            stage: Stage::Compile,
            done: done as u64,
            total: total as u64,
            at_ms: now_ms(),
        }));
    };
    device.compile(&mut post_progress).await?;
    yield_now().await;
    Ok(device)
}
