//! Every kernel of the processor at the default model's shapes: natively through criterion, in a browser through
//! wasm-bindgen's part of it. `cargo xtask bench --kernels` runs both.

mod calls;
mod cases;

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    use cases::Size;
    use criterion::{Criterion, Throughput};

    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    for mut case in cases::all() {
        let mut group = criterion.benchmark_group(engine::cpu::dispatch::detect().name);
        group.throughput(match case.size {
            Size::Bytes(bytes) => Throughput::Bytes(bytes),
            Size::Elements(elements) => Throughput::Elements(elements),
        });
        group.bench_function(case.name, |bencher| bencher.iter(&mut case.run));
        group.finish();
    }
    criterion.final_summary();
}

#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(target_arch = "wasm32")]
mod browser {
    use wasm_bindgen_test::{Criterion, wasm_bindgen_bench};

    use crate::cases;

    wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

    #[wasm_bindgen_bench]
    fn kernels(criterion: &mut Criterion) {
        for mut case in cases::all() {
            // This criterion knows no throughput.
            let name = format!("{}, {}", case.name, case.size);
            criterion.bench_function(&name, |bencher| bencher.iter(&mut case.run));
        }
    }
}
