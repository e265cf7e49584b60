"""EdgeKit's service beside llama.cpp's server, on one shape, with as many slots, round by round in turn.

    python -m tests.benchmarks.llamacpp_served BUNDLE LLAMA_SERVER MODEL.gguf MMPROJ.gguf [--rounds 5]

BUNDLE is built of full_shape.py's tinyllava-1.5b by q4; the GGUF files are llamacpp_models.py's of `--what server`, the
first quantized to Q4_0 by `llama-quantize`. LLAMA_SERVER is compiled for this processor, from llama.cpp's source:

    cmake -G Ninja -B BUILD -DCMAKE_BUILD_TYPE=Release -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_UI=OFF LLAMA_CPP
    ninja -C BUILD llama-server llama-quantize

Answers are as long on both sides, since none may end by itself. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.load import PICTURES, load, question
from tests.benchmarks.served import SLOTS
from tests.serve_process import process
from tests.wire import Connection

CONTEXT = 2048
TEMPLATE = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, "
    "and polite answers to the user's questions. {% for m in messages %}USER: {{ m.content }} {% endfor %}ASSISTANT:"
)
"""What the bundle's own template writes."""
_NEVER_ENDS = {"stream": True, "logit_bias": {"2": -100}}
_START_S = 300


def requests_per_s(url: str, base: int, max_tokens: int) -> float:
    """Requests per second of as many callers as slots, without pictures."""
    bodies = [question(base + number, 0, {"max_tokens": max_tokens, **_NEVER_ENDS}) for number in range(2 * SLOTS)]
    begun = time.perf_counter()
    replies = asyncio.run(load(url, bodies, SLOTS))
    assert all(reply.whole and reply.usage["completion_tokens"] == max_tokens for reply in replies), replies
    return len(replies) / (time.perf_counter() - begun)


def first_tokens(url: str, base: int) -> list[float]:
    """Seconds to the first text of two questions about one picture, one behind the other."""
    bodies = [question(base + PICTURES * number, 1, {"max_tokens": 2, **_NEVER_ENDS}) for number in range(2)]
    replies = asyncio.run(load(url, bodies, 1))
    assert all(reply.whole for reply in replies), replies
    return [(reply.first_s or reply.ended_s) - reply.sent_s for reply in replies]


@contextmanager
def llamacpp(server: Path, model: Path, mmproj: Path) -> Iterator[str]:
    """Run llama.cpp's server; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(server),
        "-m",
        str(model),
        "--mmproj",
        str(mmproj),
        "-c",
        str(SLOTS * CONTEXT),
        "-np",
        str(SLOTS),
        "-t",
        "2",
    ]
    command += ["--port", str(port), "--chat-template", TEMPLATE, "--jinja"]
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere) as child:
        try:
            url = f"http://127.0.0.1:{port}"
            asyncio.run(_healthy(url))
            yield url
        finally:
            child.kill()


async def _healthy(url: str) -> None:
    connection, until = Connection(url), time.monotonic() + _START_S
    while time.monotonic() < until:
        try:
            status = await connection.send("GET", "/health")
            async for _ in connection.parts():
                pass
        except OSError:
            status = 0
            connection.close()
        if status == 200:
            connection.close()
            return
        await asyncio.sleep(0.5)
    raise TimeoutError(f"no server at {url}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bundle", "server", "model", "mmproj"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--max-tokens", type=int, default=32)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        process(arguments.bundle, "--slots", str(SLOTS), site=Path(folder)) as running,
        llamacpp(arguments.server, arguments.model, arguments.mmproj) as other,
    ):
        urls = {"edgekit": running.url.rstrip("/"), "llama.cpp": other}
        rates: dict[str, list[float]] = {name: [] for name in urls}
        firsts: dict[str, list[list[float]]] = {name: [] for name in urls}
        for number in range(arguments.rounds):
            for name in sorted(urls, reverse=number % 2 == 1):
                rates[name].append(requests_per_s(urls[name], 1000 * number, arguments.max_tokens))
                firsts[name].append(first_tokens(urls[name], number))
    pairs = [ours / theirs for ours, theirs in zip(*rates.values(), strict=True)]
    document = {
        "requests_per_s": {name: statistics.median(each) for name, each in rates.items()},
        "ratio": statistics.median(pairs),
        "ratio_range": [min(pairs), max(pairs)],
        "first_text_s": {
            name: [statistics.median(side) for side in zip(*each, strict=True)] for name, each in firsts.items()
        },
        "second_to_first": {name: statistics.median(b / a for a, b in each) for name, each in firsts.items()},
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
