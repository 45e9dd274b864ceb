"""Writes a model anew with other tensor types, by llama.cpp: INPUT OUTPUT TYPE, such as Q4_K_M."""

import sys

import llama_cpp


def main():
    source, target, kind = sys.argv[1:]
    params = llama_cpp.llama_model_quantize_default_params()
    params.allow_requantize = True
    params.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}")
    code = llama_cpp.llama_model_quantize(source.encode(), target.encode(), params)
    sys.exit(f"llama.cpp could not write {kind}: {code}" if code else 0)


main()
