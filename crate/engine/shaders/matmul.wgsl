// Y = W · X for a batch of tokens: MATMUL_GROUPS groups of rows × MATMUL_TOKENS tokens a workgroup, four rows × four
// tokens an invocation, so that what it reads serves four times. X comes from prepare.wgsl. References: as matvec.wgsl.
@group(2) @binding(0) var<storage, read> activations: array<vec4<u32>>;
@group(2) @binding(1) var<storage, read> factors_in: array<vec2<f32>>;
@group(2) @binding(2) var<storage, read_write> output: array<f32>;

// (tokens, blocks, STAGED).
var<workgroup> staged: array<vec4<u32>, MATMUL_TOKENS * MATMUL_BLOCKS * STAGED>;
var<workgroup> factors: array<vec2<f32>, MATMUL_TOKENS * MATMUL_BLOCKS>;

// One invocation stages one block of one token.
fn stage(token: u32, block: u32, slot: u32) {
    let at = token * shape.blocks + block;
    for (var v = 0u; v < STAGED; v++) {
        staged[slot * STAGED + v] = activations[at * STAGED + v];
    }
    factors[slot] = factors_in[at];
}

// Four rows, each with a vector over four tokens.
struct Dots {
    a: vec4<Sum>,
    b: vec4<Sum>,
    c: vec4<Sum>,
    d: vec4<Sum>,
}

struct Totals {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
}

// Blocks of four tokens.
struct Four {
    a: Block,
    b: Block,
    c: Block,
    d: Block,
}

fn part_dots(w: Words, x: array<Part, 4>, j: u32) -> vec4<Sum> {
    return vec4<Sum>(part_dot(w, x[0], j), part_dot(w, x[1], j), part_dot(w, x[2], j), part_dot(w, x[3], j));
}

// Adds columns 4·j to 4·j + 3 of a block.
fn with_part(dots: Dots, w: array<Words, 4>, blocks: Four, j: u32) -> Dots {
    let x = array<Part, 4>(part_at(blocks.a, j), part_at(blocks.b, j), part_at(blocks.c, j), part_at(blocks.d, j));
    return Dots(
        dots.a + part_dots(w[0], x, j),
        dots.b + part_dots(w[1], x, j),
        dots.c + part_dots(w[2], x, j),
        dots.d + part_dots(w[3], x, j),
    );
}

// The totals with one more staged block; `slot` is that of the first token.
fn with_block(totals: Totals, cells: vec4<u32>, lane: u32, slot: u32) -> Totals {
    let next = MATMUL_BLOCKS * STAGED;
    let at = slot * STAGED;
    let x = Four(block_at(at), block_at(at + next), block_at(at + 2u * next), block_at(at + 3u * next));
    let w = array<Words, 4>(
        words_of(cells.x, lane), words_of(cells.y, lane), words_of(cells.z, lane), words_of(cells.w, lane),
    );
    var dots = with_part(Dots(), w, x, 0u);
    dots = with_part(dots, w, x, 1u);
    dots = with_part(dots, w, x, 2u);
    dots = with_part(dots, w, x, 3u);
    dots = with_part(dots, w, x, 4u);
    dots = with_part(dots, w, x, 5u);
    dots = with_part(dots, w, x, 6u);
    dots = with_part(dots, w, x, 7u);
    let f = array<vec2<f32>, 4>(factors[slot], factors[slot + MATMUL_BLOCKS], factors[slot + 2u * MATMUL_BLOCKS], factors[slot + 3u * MATMUL_BLOCKS]);
    let scale = vec4<f32>(f[0].x, f[1].x, f[2].x, f[3].x);
    let sum = vec4<f32>(f[0].y, f[1].y, f[2].y, f[3].y);
    return Totals(
        totals.a + scaled(vec4<f32>(dots.a), cells.x, lane, scale, sum),
        totals.b + scaled(vec4<f32>(dots.b), cells.y, lane, scale, sum),
        totals.c + scaled(vec4<f32>(dots.c), cells.z, lane, scale, sum),
        totals.d + scaled(vec4<f32>(dots.d), cells.w, lane, scale, sum),
    );
}

fn scaled(dots: vec4<f32>, cell: u32, lane: u32, scale: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
    if PACKING > PACKING_SCALED {
        return dots;
    }
    let of_row = scale_of(cell, lane);
    return of_row.x * (dots * scale) + of_row.y * sum;
}

@compute @workgroup_size(WORKGROUP)
fn matmul(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let lane = local % GROUP_ROWS;
    let group = workgroup.x * MATMUL_GROUPS + (local / GROUP_ROWS) % (MATMUL_GROUPS / 4u) * 4u;
    let mine = local / (GROUP_ROWS * MATMUL_GROUPS / 4u) * 4u;
    let token = workgroup.y * MATMUL_TOKENS;
    // Past the last group its rows are computed once more, and not written.
    let last = weight_groups() - 1u;
    let cells = min(vec4<u32>(group) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(last)) * shape.blocks;
    var totals = Totals();
    for (var tile = 0u; tile < shape.blocks; tile += MATMUL_BLOCKS) {
        workgroupBarrier();
        if tile + local % MATMUL_BLOCKS < shape.blocks {
            stage(min(token + local / MATMUL_BLOCKS, batch.tokens - 1u), tile + local % MATMUL_BLOCKS, local);
        }
        workgroupBarrier();
        let count = min(MATMUL_BLOCKS, shape.blocks - tile);
        for (var block = 0u; block < count; block++) {
            totals = with_block(totals, cells + vec4<u32>(tile + block), lane, mine * MATMUL_BLOCKS + block);
        }
    }
    finish(group, lane, token + mine, totals);
}

fn finish(group: u32, lane: u32, token: u32, totals: Totals) {
    if interleaved() {
        write(group / 2u, lane, token, activated(totals.a) * totals.b);
        write(group / 2u + 1u, lane, token, activated(totals.c) * totals.d);
        return;
    }
    write(group, lane, token, totals.a);
    write(group + 1u, lane, token, totals.b);
    write(group + 2u, lane, token, totals.c);
    write(group + 3u, lane, token, totals.d);
}

fn write(group: u32, lane: u32, token: u32, values: vec4<f32>) {
    let row = group * GROUP_ROWS + lane;
    if row < shape.rows {
        write_one(row, token, values.x);
        write_one(row, token + 1u, values.y);
        write_one(row, token + 2u, values.z);
        write_one(row, token + 3u, values.w);
    }
}

fn write_one(row: u32, token: u32, value: f32) {
    if token >= batch.tokens {
        return;
    }
    put(token * shape.stride + shape.first + row, value * shape.scale);
}
