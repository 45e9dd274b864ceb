// What becomes of a product.
override EPILOGUE: u32;

// Whether groups of gate rows alternate with groups of the up rows that belong to them.
fn interleaved() -> bool {
    return EPILOGUE == GATE_SILU || EPILOGUE == GATE_GELU;
}

// Groups of rows of the weights.
fn weight_groups() -> u32 {
    return (shape.rows + GROUP_ROWS - 1u) / GROUP_ROWS * select(1u, 2u, interleaved());
}

// Both activations are g / (1 + e^−t): of SiLU, t is g; of GELU by its tanh approximation, 1 + tanh(u) being
// 2 / (1 + e^−2u), it is 2 · √(2/π) · (g + 0.044715 · g³).
fn activated(gate: vec4<f32>) -> vec4<f32> {
    if EPILOGUE == GATE_GELU || EPILOGUE == TIMES_GELU {
        return gate / (1.0 + exp(-1.5957691216 * (gate + 0.044715 * gate * gate * gate)));
    }
    return gate / (1.0 + exp(-gate));
}

// Puts one value of the product into place, scaled before.
fn put(at: u32, value: f32) {
    switch EPILOGUE {
        case ADD: { output[at] += value; }
        case TIMES_SILU, TIMES_GELU: { output[at] = activated(vec4<f32>(output[at])).x * value; }
        default: { output[at] = value; }
    }
}
