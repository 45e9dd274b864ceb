"""Times llama.cpp (through llama-cpp-python); one line of JSON for each that comes in.

The first line says what to load: path, context, threads. It is answered by version and time to load. Every further
line is a job (prompt: a text with its template, begin: whether it needs the beginning token, answer: tokens), answered by what that measured. Between jobs nothing
computes: this process waits for the next line.
"""

import json
import resource
import subprocess
import sys
import time

import llama_cpp
from jobs import jobs, say

# getrusage counts in units of this many bytes.
UNIT = 1 if sys.platform == "darwin" else 1024


def packed(setting):
    """Whether weights may be packed anew for this processor's kernels: a process of its own tries it, since some of
    them (AMX) end the process in some virtual machines."""
    again = [sys.executable, __file__, "--trial"]
    return subprocess.run(again, input=json.dumps(setting), text=True, stdout=subprocess.DEVNULL).returncode == 0


def as_in_the_file():
    """Leaves weights as they lie in the file."""
    defaults = llama_cpp.llama_cpp.llama_model_default_params

    def plain():
        params = defaults()
        params.use_extra_bufts = False
        return params

    llama_cpp.llama_cpp.llama_model_default_params = plain


def load(setting):
    return llama_cpp.Llama(
        setting["path"],
        n_ctx=setting["context"],
        n_threads=setting["threads"],
        n_threads_batch=setting["threads"],
        verbose=False,
    )


def measure(model, job):
    """One greedy answer to a prompt of which nothing is cached; rates in tokens a second."""
    tokens = model.tokenize(job["prompt"].encode(), add_bos=job["begin"], special=True)
    model.reset()
    begin = time.perf_counter()
    model.eval(tokens)
    token = model.sample(temp=0.0)
    first = time.perf_counter()
    ids = [token]
    while len(ids) < job["answer"] and token != model.token_eos():
        model.eval([token])
        token = model.sample(temp=0.0)
        ids.append(token)
    last = time.perf_counter()
    return {
        "prefill": len(tokens) / (first - begin),
        "decode": (len(ids) - 1) / (last - first) if len(ids) > 1 else None,
        "first_ms": 1000 * (first - begin),
        "text": model.detokenize(ids).decode(errors="replace"),
        "prompt": len(tokens),
        "tokens": len(ids),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT,
    }


def trial():
    """Loads the model and reads a batch and a token with it."""
    model = load(json.load(sys.stdin))
    model.eval([1] * 32)
    model.eval([1])


def main():
    lines = jobs()
    setting = next(lines)
    if packed(setting):
        packing = "weights packed anew for this processor where it does that"
    else:
        packing = "weights as in the file"
        as_in_the_file()
    begin = time.perf_counter()
    model = load(setting)
    load_ms = 1000 * (time.perf_counter() - begin)
    say({"version": f"{llama_cpp.__version__}, {packing}", "load_ms": load_ms})
    for job in lines:
        say(measure(model, job))


if "--trial" in sys.argv:
    trial()
else:
    main()
