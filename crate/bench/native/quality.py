"""What llama.cpp makes of a text: its tokens and its perplexity, as one line of JSON. MODEL TEXT CHUNK.

The procedure of `nibble perplexity`: the text's tokens with the beginning token that the model expects, cut into chunks
that do not overlap; that beginning token in place of each chunk's first; every token but a chunk's first is scored by
the logits before it, in float64.
"""

import json
import math
import sys

import llama_cpp
import numpy


def load(path, chunk):
    defaults = llama_cpp.llama_cpp.llama_model_default_params

    def plain():
        params = defaults()
        # Weights as they lie in the file: packed anew they need processor features that virtual machines may lack.
        params.use_extra_bufts = False
        return params

    llama_cpp.llama_cpp.llama_model_default_params = plain
    return llama_cpp.Llama(path, n_ctx=chunk, n_batch=chunk, logits_all=True, verbose=False)


def main():
    path, text, chunk = sys.argv[1], sys.argv[2], int(sys.argv[3])
    model = load(path, chunk)
    with open(text, "rb") as file:
        written = file.read()
    ids = model.tokenize(written, add_bos=True, special=False)
    begins = len(ids) > len(model.tokenize(written, add_bos=False, special=False))
    total, scored = 0.0, 0
    for start in range(0, len(ids), chunk):
        part = ids[start : start + chunk]
        if begins:
            part[0] = ids[0]
        model.reset()
        model.eval(part)
        for position in range(len(part) - 1):
            row = model.scores[position].astype(numpy.float64)
            row -= row.max()
            total += math.log(numpy.exp(row).sum()) - row[part[position + 1]]
            scored += 1
    print(json.dumps({"ids": ids, "perplexity": math.exp(total / scored), "scored": scored}))


main()
