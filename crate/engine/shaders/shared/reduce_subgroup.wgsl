// Partial sums of a row meet between the lanes of a subgroup first, then in workgroup memory.

// The smallest subgroup the adapter has; lanes are taken to be numbered as invocations are, which the self-check
// finds out.
override SPAN: u32;

// Rows whose invocations lie side by side; a quarter of a subgroup at most, so that four slices meet in it.
fn side_by_side() -> u32 {
    return clamp(SPAN / 4u, 1u, GROUP_ROWS);
}

// The sum over a row's slices, right for the invocation of slice 0.
fn over_slices(local: u32, slice: u32, mine: vec4<f32>) -> vec4<f32> {
    var total = mine;
    let width = min(SPAN, side_by_side() * SLICES);
    for (var mask = side_by_side(); mask < width; mask *= 2u) {
        total += subgroupShuffleXor(total, mask);
    }
    sums[local] = total;
    workgroupBarrier();
    if slice == 0u {
        let step = width / side_by_side();
        for (var other = step; other < SLICES; other += step) {
            total += sums[local + other * side_by_side()];
        }
    }
    return total;
}
