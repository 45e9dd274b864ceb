//! Every kernel on a real adapter against its scalar reference, over models of random weights and many shapes: natively on
//! whatever Vulkan, Metal or DirectX has (Mesa's llvmpipe on a machine without a GPU), and in a browser on WebGPU.

use std::io::Cursor;
use std::sync::Arc;

use candle_core::quantized::GgmlDType::{self, F16, F32, Q4_0, Q4_1, Q8_0};

use super::{Adapter, Device, Dot, Gpu, Reduction, Settings, Variant};
use crate::cpu::{self, Processor, dispatch, verify};
use crate::gguf::Gguf;
use crate::model::{Plan, forward};
use crate::testing::{Shape, TINY};
use crate::{Engine, LoadOptions, Preference, Request, Sampling, Step};

/// Largest error of logits after all layers, as a share of the largest logit. Both sides round the cache to halves,
/// at places that differ by rounding. Measured: 1.5e-3 over 700 positions.
const LOGITS: f32 = 1e-2;

/// An adapter with these settings.
async fn device(settings: Settings) -> Device {
    let adapter = Adapter::find().await.expect(
        "GPU kernels are tested on an adapter, which may be a software one: run `cargo xtask setup`, which installs it",
    );
    adapter.open(settings).await.unwrap()
}

fn gguf(shape: &Shape, dtype: GgmlDType) -> (Gguf<Cursor<Vec<u8>>>, Arc<Plan>) {
    let gguf = Gguf::open("random.gguf", Cursor::new(shape.file(dtype))).unwrap();
    let plan = Arc::new(Plan::of(&gguf, shape.context).unwrap());
    (gguf, plan)
}

/// Tokens that are all over the vocabulary.
fn tokens(count: usize, vocabulary: usize) -> Vec<u32> {
    (0..count).map(|i| ((i * 7919 + 11) % vocabulary) as u32).collect()
}

/// Runs every kernel of a model on a batch of `many` tokens and on one more, against the scalar references. Gives the
/// device back with the kernels it has: compiling them is most of what a software adapter's tests take.
async fn check(
    device: Device,
    shape: &Shape,
    dtype: GgmlDType,
    variant: Option<Variant>,
    many: usize,
) -> Device {
    let (mut gguf, plan) = gguf(shape, dtype);
    let mut gpu = Gpu::load(device, &mut gguf, &plan, shape.context, &mut |_| {}).await.unwrap();
    if let Some(variant) = variant {
        gpu.use_variant(variant).await.unwrap();
        assert_eq!(gpu.variant(), variant);
    }
    let tokens = tokens(many + 1, shape.vocabulary);
    let batches = [&tokens[..many], &tokens[many..]];
    let rows = shape.vocabulary.min(1024);
    let traces =
        verify::trace(&mut gguf, &plan, &Processor::alone(&dispatch::REFERENCE), &batches, rows).unwrap();
    let checked = gpu.check_kernels(&batches, &traces).await;
    let checked = checked.unwrap_or_else(|error| panic!("{shape:?} {dtype:?} {variant:?} {many}: {error}"));
    assert!(checked.replaced.is_empty(), "{shape:?} {dtype:?} {variant:?} {many}: {:?}", checked.replaced);
    assert!(checked.kernels >= 16, "{} kernels were run", checked.kernels);
    gpu.device
}

/// Rows short of a group of eight, of a workgroup, of a tile; heads of several widths; rotation of a part; more
/// columns than one tile of 1,024; a vocabulary of several chunks.
const SHAPES: [Shape; 4] = [
    TINY,
    Shape { heads: 3, head_dim: 32, rope_dim: 16, ffn: 160, vocabulary: 2_051, layers: 1, ..TINY },
    Shape { heads: 4, kv_heads: 4, head_dim: 8, rope_dim: 8, ffn: 1_120, layers: 1, ..TINY },
    Shape {
        heads: 8,
        kv_heads: 2,
        head_dim: 128,
        rope_dim: 128,
        ffn: 96,
        vocabulary: 300,
        layers: 1,
        ..TINY
    },
];

/// Shapes, types and batch sizes in turn.
pub(super) async fn every_kernel_on_every_type() {
    let mut device = device(Settings::default()).await;
    for (index, dtype) in [Q4_0, Q4_1, Q8_0, F16, F32].into_iter().enumerate() {
        for (shape, many) in SHAPES.iter().zip([2, 15, 17, 31]) {
            device = check(device, shape, dtype, None, many + index % 2).await;
        }
    }
}

/// Every variant that the adapter offers, on quantised weights and on floats.
pub(super) async fn every_variant() {
    let mut device = device(Settings::default()).await;
    let mut variants: Vec<Variant> = Variant::CANDIDATES.to_vec();
    variants.extend([(64, 1, 2), (16, 2, 1), (8, 4, 4)].map(|(lanes, slices, rows)| Variant {
        lanes,
        slices,
        rows,
        ..Variant::PLAIN
    }));
    variants.extend(variants.clone().into_iter().map(Variant::packed));
    let offered: Vec<Variant> = variants.into_iter().filter(|variant| device.offers(variant)).collect();
    assert!(offered.len() >= 7, "{} variants are offered", offered.len());
    for (index, variant) in offered.iter().enumerate() {
        // With random weights, heads of 128 make scores so large that softmax turns a byte's rounding into anything.
        let shapes = if variant.quantizes() { &SHAPES[..3] } else { &SHAPES[..] };
        let shape = &shapes[index % shapes.len()];
        for dtype in [Q4_1, Q8_0] {
            device = check(device, shape, dtype, Some(*variant), 5).await;
        }
    }
    let plain = |v: &&Variant| v.reduction == Reduction::Workgroup && v.dot == Dot::Float && v.slices > 1;
    let sliced = offered.iter().find(plain).unwrap();
    check(device, &TINY, F16, Some(*sliced), 5).await;
}

/// A cache of floats, and matrices cut into parts because a binding holds little.
pub(super) async fn settings_of_poorer_adapters() {
    let floats = Settings { float_cache: true, ..Settings::default() };
    check(device(floats).await, &TINY, Q4_1, None, 9).await;
    let wide = Shape { ffn: 1_120, vocabulary: 6_001, layers: 1, ..TINY };
    // 6,001 × 64 floats are 1.5 MB: three parts; the logits of 16 rows just fit.
    let poor = device(Settings { max_binding: Some(1 << 19), ..Settings::default() }).await;
    let poor = check(poor, &wide, F32, None, 3).await;
    check(poor, &wide, Q8_0, None, 3).await;
}

/// Several splits of attention, prompts of several batches, decoding after them.
pub(super) async fn a_long_context() {
    let shape = Shape { context: 800, kv_heads: 1, ..TINY };
    let (mut gguf, plan) = gguf(&shape, Q8_0);
    let mut gpu = Gpu::load(device(Settings::default()).await, &mut gguf, &plan, shape.context, &mut |_| {})
        .await
        .unwrap();
    let processor = Processor::alone(dispatch::detect());
    let mut cpu = cpu::Cpu::load(&mut gguf, &plan, shape.context, &processor, &mut |_| {}).unwrap();
    let tokens = tokens(703, shape.vocabulary);
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let mut position = 0;
    for batch in tokens[..700].chunks(32).chain(tokens[700..].chunks(1)) {
        forward(&mut cpu, batch, position, 1, &mut ours).await.unwrap();
        forward(&mut gpu, batch, position, 1, &mut theirs).await.unwrap();
        let size = ours.iter().fold(0.0f32, |size, v| size.max(v.abs()));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!((ours - theirs).abs() <= LOGITS * size, "{ours} and {theirs} at {position}");
        }
        position += batch.len();
    }
}

async fn engine(preference: Preference) -> Engine {
    let gguf = Gguf::open("random.gguf", Cursor::new(TINY.file(Q8_0))).unwrap();
    let pool = cpu::Pool::alone();
    let options =
        LoadOptions { context: TINY.context, backend: preference, pool, clock: || 0.0, remembered: None };
    let gpu = match preference {
        Preference::Cpu => Err("a test".to_owned()),
        _ => Ok(device(Settings::default()).await),
    };
    Engine::load(gguf, &options, gpu, &mut |_| {}).await.unwrap()
}

/// Ids of an answer; `lose` is called once three tokens are there.
async fn answer(
    engine: &mut Engine,
    sampling: &Sampling,
    lose: &mut dyn FnMut(&mut Engine),
) -> (Vec<u32>, usize) {
    let request = Request { sampling: sampling.clone(), max_tokens: 20, stop: Vec::new() };
    let mut generation = engine.start(&[1, 2, 3, 70, 5], &request).unwrap();
    let mut ids = Vec::new();
    let mut moves = 0;
    loop {
        match engine.step(&mut generation).await.unwrap() {
            Step::Token { id, .. } => {
                ids.push(id);
                if ids.len() == 3 {
                    lose(engine);
                }
            }
            Step::Moved { report } => {
                assert!(report.reason.contains("the GPU failed"), "{}", report.reason);
                moves += 1;
            }
            Step::Prefill { .. } => {}
            Step::Finished { .. } => return (ids, moves),
        }
    }
}

/// Tokens chosen on the device are those that the sampler chooses from the logits, greedy or drawn, however often.
pub(super) async fn choices_are_the_samplers() {
    let mut cpu = engine(Preference::Cpu).await;
    let mut gpu = engine(Preference::Gpu).await;
    assert!(gpu.gpu().is_some(), "{}", gpu.report().reason);
    let warm = |seed| Sampling {
        temperature: 0.8,
        top_k: 40,
        top_p: 0.95,
        min_p: 0.02,
        repetition_penalty: 1.1,
        seed,
    };
    let penalized = Sampling { repetition_penalty: 1.3, ..Sampling::greedy() };
    // The last one keeps more candidates than the kernel does: logits come back, the sampler draws.
    let all = Sampling { temperature: 1.0, seed: 4, ..Sampling::greedy() };
    // Seeds whose draws do not fall on a border that the rounding of the processor's activations decides.
    for sampling in [Sampling::greedy(), penalized, warm(1), warm(2), warm(5), all] {
        let (want, _) = answer(&mut cpu, &sampling, &mut |_| {}).await;
        for _ in 0..2 {
            let (got, moves) = answer(&mut gpu, &sampling, &mut |_| {}).await;
            assert_eq!((&got, moves), (&want, 0), "{sampling:?}");
        }
    }
}

/// A device that goes away in mid-answer leaves the rest of the same answer to the processor.
pub(super) async fn a_lost_device_loses_no_token() {
    for sampling in
        [Sampling::greedy(), Sampling { temperature: 0.9, top_k: 20, seed: 9, ..Sampling::greedy() }]
    {
        let (want, _) = answer(&mut engine(Preference::Cpu).await, &sampling, &mut |_| {}).await;
        let mut gpu = engine(Preference::Gpu).await;
        let mut lose = |engine: &mut Engine| engine.gpu().unwrap().destroy();
        let (got, moves) = answer(&mut gpu, &sampling, &mut lose).await;
        assert_eq!((got, moves), (want, 1));
        assert_eq!(gpu.backend_name(), "cpu-simd");
    }
}

/// Room that a device does not have is an error in words, not a lost device.
pub(super) async fn too_little_room_is_said() {
    let (mut gguf, plan) = gguf(&TINY, Q4_1);
    let poor = Settings { max_binding: Some(4_096), ..Settings::default() };
    let loaded = Gpu::load(device(poor).await, &mut gguf, &plan, TINY.context, &mut |_| {}).await;
    let error = loaded.err().unwrap().to_string();
    assert!(error.contains("larger buffers than this GPU binds (4096 bytes)"), "{error}");
}

/// The memory that a model took on the device is given back when it goes, ten times over.
#[cfg(not(target_arch = "wasm32"))]
#[test]
fn ten_loads_leave_nothing_on_the_device() {
    let allocated = |device: &Device| {
        // A destroyed buffer is freed once the device has been asked how far it is.
        device.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        device.device.generate_allocator_report().map(|report| report.total_allocated_bytes)
    };
    crate::block_on(async {
        let mut device = device(Settings::default()).await;
        device = check(device, &TINY, Q4_1, None, 9).await;
        let start = allocated(&device);
        for _ in 0..10 {
            device = check(device, &TINY, Q4_1, None, 9).await;
            assert_eq!(allocated(&device), start);
        }
        let (mut gguf, plan) = gguf(&TINY, Q4_1);
        let loaded = Gpu::load(device, &mut gguf, &plan, TINY.context, &mut |_| {}).await.unwrap();
        if let (Some(start), Some(now)) = (start, allocated(&loaded.device)) {
            assert!(now >= start + loaded.memory_bytes(), "the report counts buffers: {start}, then {now}");
        }
    });
}

/// A token's profile holds every kernel of the plan, as often as it is dispatched.
pub(super) async fn a_profile_counts_every_dispatch() {
    let (mut gguf, plan) = gguf(&TINY, Q8_0);
    let device = device(Settings::default()).await;
    let mut gpu = Gpu::load(device, &mut gguf, &plan, TINY.context, &mut |_| {}).await.unwrap();
    let kernels = gpu.timed_token(9).await.unwrap();
    let counted = |name: &str| -> u64 {
        kernels.iter().filter(|kernel| kernel.name == name).map(|kernel| kernel.dispatches).sum()
    };
    let layers = TINY.layers as u64;
    assert_eq!(counted("embed"), 1);
    for of_layer in
        ["rope + KV append", "attention", "output + residual Q8", "norm + gate·up Q8", "down + residual Q8"]
    {
        assert_eq!(counted(of_layer), layers, "{of_layer}");
    }
    // QKV of every layer, and the head.
    assert_eq!(counted("norm + matvec Q8"), layers + 1);
    assert_eq!(counted("argmax"), 2);
    let all: u64 = kernels.iter().map(|kernel| kernel.dispatches).sum();
    assert_eq!(all, 6 * layers + 4);
}

/// Both front ends of the tests above.
macro_rules! everywhere {
    ($($name:ident),+ $(,)?) => {
        #[cfg(not(target_arch = "wasm32"))]
        mod native {
            $(#[test] fn $name() { crate::block_on(super::$name()); })+
        }
        #[cfg(target_arch = "wasm32")]
        mod browser {
            use wasm_bindgen_test::wasm_bindgen_test;
            $(#[wasm_bindgen_test] async fn $name() { super::$name().await; })+
        }
    };
}

everywhere! {
    every_kernel_on_every_type,
    every_variant,
    settings_of_poorer_adapters,
    a_long_context,
    choices_are_the_samplers,
    a_lost_device_loses_no_token,
    too_little_room_is_said,
    a_profile_counts_every_dispatch,
}
