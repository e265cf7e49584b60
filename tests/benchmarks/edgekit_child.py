"""An EdgeKit that measures one round for each line on stdin, so that rounds can alternate with another program's.

    python -m tests.benchmarks.edgekit_child text BUNDLE [--slots 1] [--context 512] [--tokens 128]
    python -m tests.benchmarks.edgekit_child vision BUNDLE

It first prints {"ready": true, "load_s", "rss_mib", "anonymous_mib"}, then for each task named on stdin one line
of JSON: {"task", "count", "seconds", "rate"}. Tasks: prefill, decode, rows (every slot at once) | image.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from edgekit.bundle import open_bundle
from edgekit.engines.base import Engine
from edgekit.engines.open import open_engine

Task: TypeAlias = Callable[[], tuple[int, float]]


class Text:
    """Random tokens through the engine alone: no sampling, no detokenizing."""

    def __init__(self, engine: Engine, vocab: int, context: int, tokens: int) -> None:
        self.engine, self.vocab, self.context, self.tokens = engine, vocab, context, tokens
        self.random = np.random.default_rng(0)

    def prefill(self) -> tuple[int, float]:
        begin = time.perf_counter()
        for start in range(0, self.context, self.engine.chunk):
            count = min(self.engine.chunk, self.context - start)
            self.engine.prefill(0, self.engine.embed(self._words(count)), start)
        return self.context, time.perf_counter() - begin

    def decode(self, rows: int, steps: int) -> tuple[int, float]:
        self.prefill()
        for slot in range(1, rows):
            self.engine.copy(0, slot, self.context)
        slots = list(range(rows))
        begin = time.perf_counter()
        for _ in range(steps):
            self.engine.decode(self._words(rows), slots)
        return rows * steps, time.perf_counter() - begin

    def _words(self, count: int) -> list[int]:
        return [int(word) for word in self.random.integers(0, self.vocab, count)]

    def tasks(self) -> dict[str, Task]:
        self.decode(self.engine.slots, 2)
        return {
            "prefill": self.prefill,
            "decode": lambda: self.decode(1, self.tokens),
            "rows": lambda: self.decode(self.engine.slots, self.tokens // 2),
        }


def vision(engine: Engine, size: int) -> dict[str, Task]:
    """The tower and the projector; reading and resizing the image are not counted."""
    pixels = np.random.default_rng(0).normal(size=(1, 3, size, size)).astype(np.float32)

    def image() -> tuple[int, float]:
        begin = time.perf_counter()
        engine.encode(pixels)
        return 1, time.perf_counter() - begin

    image()
    return {"image": image}


def memory_mib() -> dict[str, int]:
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = {key: int(value.split()[0]) for key, value in (line.split(":", 1) for line in lines) if key.startswith("Rss")}
    return {"rss_mib": sum(kib.values()) // 1024, "anonymous_mib": kib["RssAnon"] // 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=["text", "vision"])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--context", type=int, default=512, help="tokens of prefill, and held when decoding starts")
    parser.add_argument("--tokens", type=int, default=128, help="tokens of a decode round (half of it, in each row)")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    bundle = open_bundle(arguments.bundle)
    spec = bundle.manifest.spec
    engine = open_engine(bundle, arguments.slots)
    load_s = time.perf_counter() - begin
    loaded = memory_mib()
    if arguments.kind == "text":
        tasks = Text(engine, spec.decoder.vocab, arguments.context, arguments.tokens).tasks()
    else:
        tasks = vision(engine, spec.vision.image_size)
    print(json.dumps({"ready": True, "load_s": round(load_s, 3), **loaded}), flush=True)
    for name in map(str.strip, sys.stdin):
        count, seconds = tasks[name]()
        answer = {"task": name, "count": count, "seconds": round(seconds, 4), "rate": round(count / seconds, 3)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
