// Partial sums of a row meet in workgroup memory.

// Rows whose invocations lie side by side, so that they read side by side.
fn side_by_side() -> u32 {
    return GROUP_ROWS;
}

// The sum over a row's slices, right for the invocation of slice 0.
fn over_slices(local: u32, slice: u32, mine: vec4<f32>) -> vec4<f32> {
    if SLICES == 1u {
        return mine;
    }
    sums[local] = mine;
    workgroupBarrier();
    var total = mine;
    if slice == 0u {
        for (var other = 1u; other < SLICES; other++) {
            total += sums[local + other * side_by_side()];
        }
    }
    return total;
}
