"""Asks llama.cpp's server on its Vulkan backend; one line of JSON for each that comes in.

The first line says what to start: server (its path), model (a path), context. It is answered by the device, how many
layers run there, and the time to load. Every further line is a job (prompt: ids, answer: tokens), answered by what
that measured. The server ends with standard input.
"""

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from jobs import jobs, say

# Seconds; far above what any answer takes.
PATIENCE = 900


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def request(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=PATIENCE) as answer:
        return json.load(answer)


def wait_until_ready(server, url, log):
    """Returns once the model is loaded and warm."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < PATIENCE:
        if server.poll() is not None:
            sys.exit(f"llama-server ended while loading:\n{said(log)[-2000:]}")
        try:
            request(f"{url}/health")
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("llama-server did not load the model in time")


def said(log):
    with open(log.name, encoding="utf-8", errors="replace") as text:
        return text.read()


def placement(log):
    """What the server itself says about where it computes: (device, layers there, layers)."""
    text = said(log)
    device = re.search(r"using device \S+ \((.*)\) \([^)]*\) - ", text)
    layers = re.search(r"offloaded (\d+)/(\d+) layers to GPU", text)
    if not device or not layers:
        sys.exit(f"llama-server does not say what it computes on:\n{text[-2000:]}")
    return device[1], int(layers[1]), int(layers[2])


def measure(url, job):
    body = {
        "prompt": job["prompt"],
        "n_predict": job["answer"],
        "temperature": 0,
        "cache_prompt": False,
        "ignore_eos": True,
        "return_tokens": True,
    }
    answer = request(f"{url}/completion", body)
    timings = answer["timings"]
    return {
        "prefill": timings["prompt_n"] / timings["prompt_ms"] * 1e3,
        # Its time begins with the first token, so that token is none of those it took.
        "decode": (timings["predicted_n"] - 1) / timings["predicted_ms"] * 1e3,
        "prompt": timings["prompt_n"],
        "ids": answer["tokens"],
    }


def main():
    lines = jobs()
    setting = next(lines)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [setting["server"], "--model", setting["model"], "--n-gpu-layers", "99", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--ctx-size", str(setting["context"]), "--parallel", "1", "--verbosity", "4"]
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        begin = time.perf_counter()
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until_ready(server, url, log)
            device, there, layers = placement(log)
            load_ms = 1000 * (time.perf_counter() - begin)
            say({"device": device, "there": there, "layers": layers, "load_ms": load_ms})
            for job in lines:
                say(measure(url, job))
        finally:
            server.terminate()
            server.wait()


main()
