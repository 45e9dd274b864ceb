"""Writes tests/golden/architectures.json: tiny models of every architecture, and llama.cpp's logits of them.

    pip install llama-cpp-python==0.3.36 gguf==0.19.0
    python tests/oracle/make_architectures.py

No weights are committed. A tensor's element i is centre + spread * u(i), in f32, with u from splitmix64 (Steele, Lea,
Flood: Fast splittable pseudorandom number generators, 2014) seeded by the FNV-1a hash of the tensor's name: the upper
24 bits of its output as a number of -1 to 1. `tests/src/architectures.rs` computes the same.
"""

import ctypes
import json
import os
import pathlib
import sys
import tempfile

import gguf
import llama_cpp
import numpy as np

VOCABULARY = 258
# More than one span of attention, and one more than three batches: the last is read by itself.
TOKENS = 97
# Positions whose logits are kept: one within every window, one that looks back over two spans, the last.
POSITIONS = [20, 70, 96]
OUT = pathlib.Path(__file__).parent.parent / "golden" / "architectures.json"


def fnv1a(name):
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    return seed


def weights(name, shape, centre, spread):
    index = np.arange(1, np.prod(shape) + 1, dtype=np.uint64)
    z = np.uint64(fnv1a(name)) + index * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    u = ((z >> np.uint64(40)).astype(np.int64) - 2**23).astype(np.float32) / np.float32(2**23)
    return (np.float32(centre) + np.float32(spread) * u).reshape(shape)


def model(arch, *, width=64, heads=4, kv_heads=2, head_dim=16, ffn=96, layers=2, context=256, keys=(), tensors=None):
    """(metadata, tensors): the sizes that all have, then what `keys` and `tensors` change."""
    metadata = {
        "context_length": context,
        "embedding_length": width,
        "block_count": layers,
        "feed_forward_length": ffn,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.key_length": head_dim,
        "attention.value_length": head_dim,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "rope.dimension_count": head_dim,
    }
    metadata.update(keys)
    found = {"token_embd.weight": ([VOCABULARY, width], 0.0, 1.0), "output_norm.weight": ([width], 1.0, 0.5)}
    for layer in range(layers):
        parts = {
            "attn_norm.weight": ([width], 1.0, 0.5),
            "attn_q.weight": ([heads * head_dim, width], 0.0, 0.25),
            "attn_k.weight": ([kv_heads * head_dim, width], 0.0, 0.25),
            "attn_v.weight": ([kv_heads * head_dim, width], 0.0, 0.25),
            "attn_output.weight": ([width, heads * head_dim], 0.0, 0.25),
            "ffn_norm.weight": ([width], 1.0, 0.5),
            "ffn_gate.weight": ([ffn, width], 0.0, 0.25),
            "ffn_up.weight": ([ffn, width], 0.0, 0.25),
            "ffn_down.weight": ([width, ffn], 0.0, 0.25),
        }
        if arch == "qwen2":
            for part, rows in [("attn_q", heads), ("attn_k", kv_heads), ("attn_v", kv_heads)]:
                parts[f"{part}.bias"] = ([rows * head_dim], 0.0, 0.5)
        if arch in ("qwen3", "gemma3"):
            parts["attn_q_norm.weight"] = ([head_dim], 1.0, 0.5)
            parts["attn_k_norm.weight"] = ([head_dim], 1.0, 0.5)
        if arch == "gemma3":
            parts["post_attention_norm.weight"] = ([width], 1.0, 0.5)
            parts["post_ffw_norm.weight"] = ([width], 1.0, 0.5)
        if arch == "phi3":
            for part in ("attn_q", "attn_k", "attn_v", "ffn_gate"):
                del parts[f"{part}.weight"]
            parts["attn_qkv.weight"] = ([(heads + 2 * kv_heads) * head_dim, width], 0.0, 0.25)
            parts["ffn_up.weight"] = ([2 * ffn, width], 0.0, 0.25)
        found.update({f"blk.{layer}.{part}": entry for part, entry in parts.items()})
    found.update(tensors or {})
    return arch, metadata, found


def cases():
    """Name, context that is asked for, model."""
    factors = lambda count: ([count], 3.0, 2.0)
    yield "llama", 256, model("llama")
    yield "llama with a head and factors of its rotation", 256, model(
        "llama",
        kv_heads=1,
        keys={"rope.freq_base": 500000.0},
        tensors={"rope_freqs.weight": factors(8), "output.weight": ([VOCABULARY, 64], 0.0, 1.0)},
    )
    yield "llama with linear scaling", 256, model(
        "llama", keys={"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}
    )
    yield "llama with yarn", 256, model(
        "llama",
        heads=2,
        kv_heads=2,
        head_dim=32,
        keys={
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": 4.0,
            "rope.scaling.original_context_length": 64,
            "rope.freq_base": 1000.0,
        },
    )
    yield "qwen2", 256, model("qwen2", keys={"rope.freq_base": 1000000.0})
    yield "qwen3", 256, model("qwen3", heads=4, head_dim=32, keys={"rope.freq_base": 1000000.0})
    gemma = {"attention.sliding_window": 24, "rope.freq_base": 1000000.0}
    gemma = {**gemma, "rope.scaling.type": "linear", "rope.scaling.factor": 8.0}
    yield "gemma3", 256, model("gemma3", heads=2, kv_heads=1, head_dim=32, layers=7, keys=gemma)
    phi = dict(heads=2, kv_heads=1, head_dim=32, layers=2)
    pair = {"rope_factors_long.weight": factors(12), "rope_factors_short.weight": ([12], 1.2, 0.2)}
    rotation = {"rope.dimension_count": 24, "rope.scaling.attn_factor": 1.19}
    for name, original in [("phi3 in a short context", 256), ("phi3 in a long context", 64)]:
        keys = {**rotation, "rope.scaling.original_context_length": original}
        yield name, 256, model("phi3", keys=keys, tensors=pair, **phi)
    yield "smollm3", 256, model("smollm3", layers=5, keys={"rope.freq_base": 2000000.0})
    scales = {"attention.scale": 0.15, "embedding_scale": 3.0, "residual_scale": 0.4, "logit_scale": 1.7}
    yield "granite", 256, model("granite", keys=scales)


def write(path, arch, metadata, tensors):
    writer = gguf.GGUFWriter(path, arch)
    for key, value in metadata.items():
        add = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}[type(value)]
        add(f"{arch}.{key}", value)
    writer.add_uint32(f"{arch}.vocab_size", VOCABULARY)
    writer.add_string("tokenizer.ggml.model", "none")
    for name, (shape, centre, spread) in tensors.items():
        writer.add_tensor(name, weights(name, shape, centre, spread))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def logits(path, context, tokens):
    """Every position's, (tokens, vocabulary), with keys and values as f32 and no fused attention."""
    model = llama_cpp.llama_model_load_from_file(os.fsencode(path), llama_cpp.llama_model_default_params())
    assert model, path
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = context
    params.n_threads = params.n_threads_batch = 2
    params.flash_attn_type = 0
    params.type_k = params.type_v = 0
    params.n_outputs_max = len(tokens)
    running = llama_cpp.llama_init_from_model(model, params)
    assert running
    batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
    batch.n_tokens = len(tokens)
    for i, token in enumerate(tokens):
        batch.token[i] = token
        batch.pos[i] = i
        batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = 0
        batch.logits[i] = 1
    assert llama_cpp.llama_decode(running, batch) == 0
    rows = [np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(running, i), (VOCABULARY,)).copy() for i in POSITIONS]
    llama_cpp.llama_batch_free(batch)
    llama_cpp.llama_free(running)
    llama_cpp.llama_model_free(model)
    return rows


def main():
    quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    show = quiet(lambda level, text, _: sys.stderr.write(text.decode()) if level == 4 else None)
    llama_cpp.llama_log_set(show, None)
    tokens = [(i * 7919 + 11) % VOCABULARY for i in range(TOKENS)]
    golden = []
    for name, context, (arch, metadata, tensors) in cases():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "tiny.gguf")
            write(path, arch, metadata, tensors)
            rows = logits(path, context, tokens)
        spread = max(float(np.std(row)) for row in rows)
        print(f"{name}: logits spread by {spread:.2f}")
        golden.append({
            "name": name,
            "architecture": arch,
            "context": context,
            "metadata": metadata,
            "tensors": [[tensor, *entry] for tensor, entry in tensors.items()],
            "logits": [[position, [float(f"{v:.5g}") for v in row]] for position, row in zip(POSITIONS, rows)],
        })
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in golden)
    head = {"made_with": f"llama-cpp-python {llama_cpp.__version__}", "vocabulary": VOCABULARY, "tokens": tokens}
    OUT.write_text(json.dumps(head, separators=(",", ":"))[:-1] + ',"cases":[\n' + lines + "\n]}\n")


main()
