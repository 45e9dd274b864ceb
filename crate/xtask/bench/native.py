"""Times llama.cpp (through llama-cpp-python) on the same file and prompt; prints one JSON object.

Reads the job as JSON from standard input: path, prompt (with its template), max_tokens, context, threads, rounds.
"""

import json
import sys
import time

import llama_cpp


def without_amx():
    """Leaves the kernels for processor tiles (AMX) out: in some virtual machines they end the process.

    The other layouts that this switch turns off do not exist for the types of the default model.
    """
    defaults = llama_cpp.llama_cpp.llama_model_default_params

    def plain():
        params = defaults()
        params.use_extra_bufts = False
        return params

    llama_cpp.llama_cpp.llama_model_default_params = plain


def measure(model, tokens, most):
    """One greedy answer: (tokens a second reading, tokens a second writing, ids)."""
    model.reset()
    begin = time.perf_counter()
    model.eval(tokens)
    token = model.sample(temp=0.0)
    first = time.perf_counter()
    ids = [token]
    while len(ids) < most and token != model.token_eos():
        model.eval([token])
        token = model.sample(temp=0.0)
        ids.append(token)
    last = time.perf_counter()
    return len(tokens) / (first - begin), (len(ids) - 1) / (last - first), ids


def main():
    job = json.load(sys.stdin)
    without_amx()
    begin = time.perf_counter()
    model = llama_cpp.Llama(
        job["path"],
        n_ctx=job["context"],
        n_threads=job["threads"],
        n_threads_batch=job["threads"],
        verbose=False,
    )
    load_ms = 1000 * (time.perf_counter() - begin)
    tokens = model.tokenize(job["prompt"].encode(), add_bos=False, special=True)
    samples = []
    # The first round warms up and is not counted.
    for count in range(job["rounds"] + 1):
        prefill, decode, ids = measure(model, tokens, job["max_tokens"])
        if count > 0:
            text = model.detokenize(ids).decode(errors="replace")
            sample = {"prefill": prefill, "decode": decode, "text": text, "prompt": len(tokens), "tokens": len(ids)}
            samples.append(sample)
    print(json.dumps({"version": llama_cpp.__version__, "load_ms": load_ms, "samples": samples}))


main()
