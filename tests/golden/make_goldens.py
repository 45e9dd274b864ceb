#!/usr/bin/env python3
"""Makes the goldens in this folder with llama.cpp, from the default model and from Gemma 3 270M.

    python3 -m venv venv && venv/bin/pip install llama-cpp-python==0.3.36 jinja2
    venv/bin/python tests/golden/make_goldens.py models/SmolLM2-135M-Instruct.Q4_1.gguf
    venv/bin/python tests/golden/make_goldens.py models/gemma-3-270m-q4_k_m.gguf

english.txt is prose written for this project. tokenizer.json holds texts and their tokens, with the names of
special tokens taken as text and as tokens. chat.json holds conversations, the template's rendering of them
(by the Python jinja2 library) and its tokens. perplexity.json holds the perplexity of english.txt: tokens
without a beginning token, cut into chunks of 512 that do not overlap, every token of a chunk but the first
scored by the logits before it, computed in float64 from llama.cpp's logits.

gemma.json holds the same of Gemma: texts and their tokens, the perplexity with the beginning token in front and in
place of each chunk's first token, and greedy answers. Of PROMPTS those are kept in whose answer the best token's logit
is MARGIN above the second one's at every step: elsewhere rounding decides, which differs from program to program.
"""
import json
import math
import sys
from pathlib import Path

import jinja2
import llama_cpp
import numpy

HERE = Path(__file__).parent
CHUNK = 512

ANSWER = 32
MARGIN = 0.25

PROMPTS = [
    "The capital of France is", "Once upon a time, there was a", "1, 2, 3, 4, 5, 6,", "Monday, Tuesday, Wednesday,",
    "def fibonacci(n):\n", "The alphabet: A B C D E", "Water is made of", "To be, or not to be, that is the",
    "We hold these truths to be self-evident, that all men are",
]

TEXTS = [
    "", " ", "  two  spaces ", "\n", "\n\n\n", "a\tb\r\nc", "Hello, world!", "it's we'll I'd they've",
    "0 12 345 6789 3.14159 2^60 ٣٤٥", "naïve café Ångström ǅ", "😀", "👩‍👩‍👧‍👦 family, 🇩🇪 flag, 👍🏽 thumb",
    "你好,世界。今天天气很好。", "日本語のテキストです", "한국어 문장", "مرحبا بالعالم، كيف حالك؟", "שלום עולם",
    "नमस्ते दुनिया", "control \x00\x01\x02\x1b\x7f bytes", "zero\u200bwidth\u00a0space\ufeff",
    "<|im_start|>user\nignore that<|im_end|>", "<|endoftext|>", "<|im_start", "a<|im_end|>b<|im_end|>",
    "def f(x):\n    return x ** 2  # square\n", "{\"key\": [1, 2.5, null]}", "https://example.org/a?b=c&d=%20",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "!!!???...---___", "   leading", "trailing   ", "ﷺ ﬁ Ⅷ ½ ²",
    "e\u0301 decomposed é", "\U0001F468\U0001F3FE\u200D\U0001F680", "mixed العربية and English 123 text",
]

CHATS = [
    [{"role": "user", "content": "What is the capital of France?"}],
    [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "Is ice cold?"}],
    [
        {"role": "user", "content": "Hi, I am Ada."},
        {"role": "assistant", "content": "Hello Ada! How can I help?"},
        {"role": "user", "content": "  What is my name?\n"},
    ],
]


def load(path):
    # Without the repacked buffer types: they need processor features (AMX) that virtual machines may lack.
    defaults = llama_cpp.llama_cpp.llama_model_default_params

    def plain():
        params = defaults()
        params.use_extra_bufts = False
        return params

    llama_cpp.llama_cpp.llama_model_default_params = plain
    return llama_cpp.Llama(path, n_ctx=CHUNK, n_batch=CHUNK, logits_all=True, verbose=True)


def tokens(model, text, special):
    return model.tokenize(text.encode(), add_bos=False, special=special)


def tokenizer(model):
    return [
        {"text": text, "as_text": tokens(model, text, False), "parsed": tokens(model, text, True)}
        for text in TEXTS
    ]


def chat(model):
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(model.metadata["tokenizer.chat_template"])
    rows = []
    for messages in CHATS:
        rendered = template.render(messages=messages, add_generation_prompt=True)
        rows.append({"messages": messages, "rendered": rendered, "ids": tokens(model, rendered, True)})
    return rows


def perplexity(model, beginning=None):
    """Of english.txt; with a beginning token, that stands in front and in place of every chunk's first token."""
    ids = tokens(model, (HERE / "english.txt").read_text(encoding="utf-8"), False)
    if beginning is not None:
        ids.insert(0, beginning)
    total, scored = 0.0, 0
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        if beginning is not None:
            chunk[0] = beginning
        model.reset()
        model.eval(chunk)
        for position in range(len(chunk) - 1):
            row = model.scores[position].astype(numpy.float64)
            row -= row.max()
            total += math.log(numpy.exp(row).sum()) - row[chunk[position + 1]]
            scored += 1
    return {
        "file": "english.txt",
        "made_with": f"llama-cpp-python {llama_cpp.__version__}",
        "chunk": CHUNK,
        "tokens": len(ids),
        "scored": scored,
        "perplexity": math.exp(total / scored),
    }


def greedy(model):
    rows = []
    for prompt in PROMPTS:
        ids = model.tokenize(prompt.encode(), add_bos=True, special=False)
        model.reset()
        model.eval(ids)
        answer, margin = [], math.inf
        for _ in range(ANSWER):
            logits = model.scores[model.n_tokens - 1]
            second, best = numpy.argsort(logits)[-2:]
            margin = min(margin, float(logits[best] - logits[second]))
            answer.append(int(best))
            model.eval(answer[-1:])
        if margin >= MARGIN:
            rows.append({"prompt": prompt, "ids": ids, "answer": answer, "margin": round(margin, 3)})
    return rows


def write(name, value):
    text = json.dumps(value, ensure_ascii=True, indent=1)
    (HERE / name).write_text(text + "\n", encoding="utf-8")


def main():
    model = load(sys.argv[1])
    if model.metadata["general.architecture"] == "gemma3":
        beginning = model.token_bos()
        write(
            "gemma.json",
            {
                "tokenizer": tokenizer(model),
                "perplexity": perplexity(model, beginning),
                "greedy": greedy(model),
            },
        )
        return
    write("tokenizer.json", tokenizer(model))
    write("chat.json", chat(model))
    write("perplexity.json", perplexity(model))


if __name__ == "__main__":
    main()
