//! Every kernel on a real adapter against its scalar reference, over models of random weights and many shapes: natively on
//! whatever Vulkan, Metal or DirectX has (Mesa's llvmpipe on a machine without a GPU), and in a browser on WebGPU.

use std::io::Cursor;
use std::sync::Arc;

use candle_core::Tensor;
use candle_core::quantized::GgmlDType::{self, F16, F32, Q4_0, Q4_1, Q8_0};
use candle_core::quantized::QTensor;
use candle_core::quantized::ggml_file::qtensor_from_ggml;

use super::{Adapter, Device, Dot, Gpu, Reduction, Settings, Variant};
use crate::cpu::{self, Processor, dispatch, verify};
use crate::format::{CODEBOOK, Format, f32_to_f16};
use crate::gguf::Gguf;
use crate::model::{Activation, Norm, Pairs, Plan, Precision, Spec, Token, forward};
use crate::testing::{Shape, TINY, write};
use crate::{Engine, LoadOptions, Preference, Prompt, Request, Sampling, Step};

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

/// A file in memory.
type File = Gguf<Cursor<Vec<u8>>>;

fn open(file: Vec<u8>) -> File {
    Gguf::open("random.gguf", Cursor::new(file)).unwrap()
}

fn gguf(shape: &Shape, dtype: GgmlDType) -> (File, Arc<Plan>) {
    let gguf = open(shape.file(dtype));
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
    let mut same = open(shape.file(dtype));
    let what = format!("{shape:?} {dtype:?} {variant:?} {many}");
    check_files(device, (&mut gguf, &mut same), &plan, variant, many, &what).await
}

/// The same of the first of two files, the second of which is the reference's.
async fn check_files(
    device: Device,
    (gguf, reference): (&mut File, &mut File),
    plan: &Arc<Plan>,
    variant: Option<Variant>,
    many: usize,
    what: &str,
) -> Device {
    let context = plan.spec.context;
    let mut gpu = Gpu::load(device, gguf, plan, context, &mut |_| {}).await.unwrap();
    if let Some(variant) = variant {
        gpu.use_variant(variant).await.unwrap();
        assert_eq!(gpu.variant(), variant);
    }
    let tokens = tokens(many + 1, plan.spec.vocabulary);
    let batches = [&tokens[..many], &tokens[many..]];
    let rows = plan.spec.vocabulary.min(1024);
    let layers = gpu.layers_of_every_kernel();
    let processor = Processor::alone(&dispatch::REFERENCE);
    let traces = verify::trace(reference, plan, &processor, &batches, &layers, rows).unwrap();
    let checked = gpu.check_kernels(&batches, &traces).await;
    let checked = checked.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(checked.replaced.is_empty(), "{what}: {:?}", checked.replaced);
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

/// Rows of IQ4_NL or IQ4_XS, which candle-core does not write, and the weights that they hold.
fn codebook_rows(format: Format, rows: usize, cols: usize) -> (Vec<u8>, Vec<f32>) {
    let wide = format == Format::IQ4_XS;
    let mut raw = Vec::new();
    let mut weights = Vec::new();
    for block in 0..rows * cols / 32 {
        let byte = |i: usize| ((block * 16 + i) * 89 % 251) as u8;
        let d = |block: usize| (1 + block % 5) as f32 / if wide { 32_768.0 } else { 2_048.0 };
        let scale = if wide { d(block / 8) * (8 + block % 8) as f32 } else { d(block) };
        if !wide {
            raw.extend(f32_to_f16(d(block)).to_le_bytes());
        } else if block % 8 == 0 {
            raw.extend(f32_to_f16(d(block / 8)).to_le_bytes());
            // Scales 40 to 47, less 32: upper bits 2, low nibbles 8 to 15.
            raw.extend([0xaa, 0xaa, 0x98, 0xba, 0xdc, 0xfe]);
        }
        raw.extend((0..16).map(byte));
        let nibbles = (0..16).map(|i| byte(i) & 15).chain((0..16).map(|i| byte(i) >> 4));
        weights.extend(nibbles.map(|nibble| scale * f32::from(CODEBOOK[usize::from(nibble)])));
    }
    (raw, weights)
}

/// Types that candle-core writes.
fn dtype_of(format: Format) -> Option<GgmlDType> {
    Some(match format {
        Format::Q4_0 => Q4_0,
        Format::Q4_1 => Q4_1,
        Format::Q5_0 => GgmlDType::Q5_0,
        Format::Q5_1 => GgmlDType::Q5_1,
        Format::Q8_0 => Q8_0,
        Format::Q2_K => GgmlDType::Q2K,
        Format::Q3_K => GgmlDType::Q3K,
        Format::Q4_K => GgmlDType::Q4K,
        Format::Q5_K => GgmlDType::Q5K,
        Format::Q6_K => GgmlDType::Q6K,
        Format::BF16 => GgmlDType::BF16,
        Format::F16 => F16,
        Format::F32 => F32,
        Format::IQ4_NL | Format::IQ4_XS => return None,
    })
}

/// A file whose matrices have the formats that `format_of` says by name, and one with the same weights as floats.
fn mixed(shape: &Shape, format_of: impl Fn(&str) -> Format) -> [Vec<u8>; 2] {
    let mut mixed = shape.tensors(F32);
    let mut floats = Vec::new();
    let mut patches = Vec::new();
    let cpu = candle_core::Device::Cpu;
    for (name, tensor) in &mut mixed {
        let dims = tensor.shape().dims().to_vec();
        let mut weights = tensor.dequantize(&cpu).unwrap();
        if dims.len() == 2 {
            // Large scores would make of a byte's rounding anything.
            weights = (weights * 0.5).unwrap();
        }
        if let &[rows, cols] = &dims[..] {
            let format = format_of(name);
            match dtype_of(format) {
                Some(dtype) => {
                    *tensor = QTensor::quantize(&weights, dtype).unwrap();
                    weights = tensor.dequantize(&cpu).unwrap();
                }
                None => {
                    let (raw, values) = codebook_rows(format, rows, cols);
                    // Written as so many halves; the header is put right below.
                    let halves = vec![rows, raw.len() / rows / 2];
                    *tensor = qtensor_from_ggml(F16, &raw, halves, &cpu).unwrap();
                    weights = Tensor::from_vec(values, (rows, cols), &cpu).unwrap();
                    patches.push((name.clone(), cols, if format == Format::IQ4_NL { 20u32 } else { 23 }));
                }
            }
        }
        floats.push((name.clone(), QTensor::quantize(&weights, F32).unwrap()));
    }
    let mut file = write(&shape.metadata(), &mixed);
    for (name, cols, number) in patches {
        let key = [&(name.len() as u64).to_le_bytes()[..], name.as_bytes()].concat();
        let at = file.windows(key.len()).position(|window| window == key).unwrap() + key.len();
        // Number of dimensions, columns, rows, type.
        file[at + 4..][..8].copy_from_slice(&(cols as u64).to_le_bytes());
        file[at + 20..][..4].copy_from_slice(&number.to_le_bytes());
    }
    [file, write(&shape.metadata(), &floats)]
}

/// Rows of whole blocks of 256.
const WIDE: Shape =
    Shape { heads: 4, kv_heads: 2, head_dim: 64, rope_dim: 64, ffn: 256, vocabulary: 300, ..TINY };

/// Types mixed within layers, each multiplied for one token and for many and with every dot product; gate and up of
/// types that one dispatch does not read.
pub(super) async fn every_type_in_one_file() {
    let types = |name: &str| match name {
        "blk.0.attn_q.weight" => Format::Q4_K,
        "blk.0.attn_k.weight" => Format::Q5_0,
        "blk.0.attn_v.weight" => Format::Q6_K,
        "blk.0.attn_output.weight" => Format::Q5_K,
        "blk.0.ffn_gate.weight" => Format::Q3_K,
        "blk.0.ffn_up.weight" => Format::Q5_1,
        "blk.0.ffn_down.weight" => Format::Q2_K,
        "blk.1.attn_q.weight" => Format::IQ4_XS,
        "blk.1.attn_k.weight" => Format::BF16,
        "blk.1.attn_v.weight" => Format::F32,
        "blk.1.attn_output.weight" => Format::Q4_0,
        "blk.1.ffn_gate.weight" => Format::Q4_1,
        "blk.1.ffn_up.weight" => Format::Q4_K,
        "blk.1.ffn_down.weight" => Format::IQ4_NL,
        _ => Format::Q6_K,
    };
    let [file, floats] = mixed(&WIDE, types);
    let plan = Arc::new(Plan::of(&open(file.clone()), WIDE.context).unwrap());
    let mut device = device(Settings::default()).await;
    for variant in [Variant::PLAIN, Variant::PLAIN.packed()] {
        if device.offers(&variant) {
            let files = (&mut open(file.clone()), &mut open(floats.clone()));
            device = check_files(device, files, &plan, Some(variant), 5, &variant.to_string()).await;
        }
    }
    // An embedding whose scales come after the quants, as that above has them within.
    let shape = Shape { layers: 1, ..WIDE };
    let types = |name: &str| if name == "token_embd.weight" { Format::Q5_K } else { Format::Q4_1 };
    let [file, floats] = mixed(&shape, types);
    let plan = Arc::new(Plan::of(&open(file.clone()), WIDE.context).unwrap());
    let files = (&mut open(file), &mut open(floats));
    check_files(device, files, &plan, None, 3, "Q5_K embedding").await;
}

/// A file with biases, norms of heads, and norms after attention and the feed-forward network.
fn with_vectors(shape: &Shape) -> Vec<u8> {
    let mut tensors = shape.tensors(Q8_0);
    let width = shape.heads * shape.head_dim;
    let kv = shape.kv_heads * shape.head_dim;
    let vectors = [
        ("attn_q.bias", width),
        ("attn_k.bias", kv),
        ("attn_v.bias", kv),
        ("attn_q_norm.weight", shape.head_dim),
        ("attn_k_norm.weight", shape.head_dim),
        ("post_attention_norm.weight", width),
        ("post_ffw_norm.weight", width),
    ];
    for layer in 0..shape.layers {
        for (index, (name, len)) in vectors.iter().enumerate() {
            let value = |i: usize| 0.25 + ((i * 37 + layer * 5 + index) % 11) as f32 / 8.0;
            let tensor = Tensor::from_iter((0..*len).map(value), &candle_core::Device::Cpu).unwrap();
            tensors.push((format!("blk.{layer}.{name}"), QTensor::quantize(&tensor, F32).unwrap()));
        }
    }
    write(&shape.metadata(), &tensors)
}

/// Norms of heads and after products, GELU, a window, halves that rotate, and two rotations, as Gemma has them.
fn like_gemma(spec: &mut Spec) {
    for (index, layer) in spec.layers.iter_mut().enumerate() {
        let norm = |part: &str| Norm { tensor: format!("blk.{index}.{part}.weight"), eps: spec.norm.eps };
        layer.attention.head_norms = Some((norm("attn_q_norm"), norm("attn_k_norm")));
        layer.attention.post_norm = Some(norm("post_attention_norm"));
        layer.feed_forward.post_norm = Some(norm("post_ffw_norm"));
        layer.feed_forward.activation = Activation::GeluTanh;
        layer.attention.score_scale = 0.2;
        layer.attention.window = (index == 0).then_some(4);
        let rope = layer.attention.rope.as_mut().unwrap();
        rope.pairs = Pairs::Halves;
        if index == 1 {
            rope.base = 1e6;
            rope.dims /= 2;
        }
    }
    spec.embedding_scale = 8.0;
}

/// Biases and scales, and a layer that does not rotate, as Qwen2, Granite and SmolLM3 have them.
fn with_biases_and_scales(spec: &mut Spec) {
    for (index, layer) in spec.layers.iter_mut().enumerate() {
        let attention = &mut layer.attention;
        let linears = [&mut attention.query, &mut attention.key, &mut attention.value];
        for (linear, part) in linears.into_iter().zip(["attn_q", "attn_k", "attn_v"]) {
            linear.bias = Some(format!("blk.{index}.{part}.bias"));
        }
        layer.residual_scale = 0.22;
        if index == 1 {
            attention.rope = None;
        }
    }
    spec.embedding_scale = 12.0;
    spec.logit_scale = 0.125;
}

/// A change to a model.
type Change = fn(&mut Spec);

/// The model of `shape` with `change` made to it.
fn changed(shape: &Shape, change: Change) -> (Vec<u8>, Arc<Plan>) {
    let mut spec = gguf(shape, Q8_0).1.spec.clone();
    change(&mut spec);
    (with_vectors(shape), Arc::new(Plan::new("random.gguf", spec).unwrap()))
}

/// Every step that an architecture may call for, with the widest head there is.
pub(super) async fn every_step() {
    let mut device = device(Settings::default()).await;
    let widest = Shape { heads: 2, head_dim: 256, rope_dim: 256, ..TINY };
    let changes: [(Shape, Change); 2] = [(widest, like_gemma), (TINY, with_biases_and_scales)];
    for (shape, change) in changes {
        let what = &format!("{shape:?}");
        let (file, plan) = changed(&shape, change);
        let files = (&mut open(file.clone()), &mut open(file));
        device = check_files(device, files, &plan, None, 17, what).await;
    }
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

/// Several splits of attention, prompts of several batches, decoding after them; a layer whose window leaves the first
/// split behind, and one that sees all.
pub(super) async fn a_long_context() {
    let shape = Shape { context: 800, kv_heads: 1, ..TINY };
    let (file, plan) = changed(&shape, |spec| spec.layers[0].attention.window = Some(300));
    let mut gguf = open(file);
    let mut gpu = Gpu::load(device(Settings::default()).await, &mut gguf, &plan, shape.context, &mut |_| {})
        .await
        .unwrap();
    let processor = Processor::alone(dispatch::detect());
    let mut cpu = cpu::Cpu::load(&mut gguf, &plan, shape.context, &processor, &mut |_| {}).unwrap();
    let tokens: Vec<Token> = tokens(703, shape.vocabulary).into_iter().map(Token::fine).collect();
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
    let options = LoadOptions {
        context: TINY.context,
        backend: preference,
        reading: Precision::Fourteen,
        pool,
        clock: || 0.0,
        room: |bytes| bytes,
        remembered: None,
    };
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
    let mut generation = engine.start(&Prompt::read(vec![1, 2, 3, 70, 5]), &request).unwrap();
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
    every_type_in_one_file,
    every_step,
    settings_of_poorer_adapters,
    a_long_context,
    choices_are_the_samplers,
    a_lost_device_loses_no_token,
    too_little_room_is_said,
    a_profile_counts_every_dispatch,
}
