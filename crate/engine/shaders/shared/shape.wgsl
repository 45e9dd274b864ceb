// Size and place of a matrix, or of a stretch of its rows.
struct Shape {
    // Rows of the output that this part computes; the last group may be padded.
    rows: u32,
    // Blocks of columns.
    blocks: u32,
    // Where the first of them goes in an output row.
    first: u32,
    // Length of an output row.
    stride: u32,
    // Factor of the product.
    scale: f32,
}

@group(1) @binding(2) var<storage, read> shape: Shape;
