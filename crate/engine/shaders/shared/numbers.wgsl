// Small steps of quantisation.

fn largest(v: vec4<f32>) -> f32 {
    let a = abs(v);
    return max(max(a.x, a.y), max(a.z, a.w));
}

// Rounded to the grid of a block whose largest magnitude is 127 / inverse; -127 to 127.
fn quantized(v: vec4<f32>, inverse: f32) -> vec4<f32> {
    return round(v * inverse);
}

fn sum4(v: vec4<f32>) -> f32 {
    return v.x + v.y + v.z + v.w;
}

fn packed(q: vec4<f32>) -> u32 {
    let bytes = bitcast<vec4<u32>>(vec4<i32>(q)) & vec4<u32>(255u);
    return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}
