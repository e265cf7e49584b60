"""What an int8 KV cache costs and saves where a context is full: decode speed and arena, against a float one.

    python -m tests.benchmarks.cache FLOAT_BUNDLE INT8_BUNDLE

Both bundles are of the same weights. Rounds of the two alternate; a row decodes behind ``--prefix`` tokens.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from edgekit.bundle import open_bundle
from edgekit.engines.base import Engine
from edgekit.engines.open import open_engine
from edgekit.units import format_bytes

STEPS = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", type=Path, nargs=2)
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--prefix", type=int, default=2000, help="tokens in every slot")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    engines = [open_engine(open_bundle(path), arguments.slots) for path in arguments.bundles]
    tokens = np.random.default_rng(0).integers(10, 100, arguments.prefix).tolist()
    for engine, path in zip(engines, arguments.bundles, strict=True):
        begin = time.perf_counter()
        for start in range(0, len(tokens), engine.chunk):
            engine.prefill(0, engine.embed(tokens[start : start + engine.chunk]), start)
        speed = len(tokens) / (time.perf_counter() - begin)
        for slot in range(1, arguments.slots):
            engine.copy(0, slot, len(tokens))
        print(f"{path.name}: arena {format_bytes(engine.kv_bytes)}, prefill {speed:.0f} tok/s")
    rounds = [[step(engine, arguments.slots, len(tokens)) for engine in engines] for _ in range(arguments.rounds)]
    for path, times in zip(arguments.bundles, zip(*rounds, strict=True), strict=True):
        print(f"{path.name}: {1000 * statistics.median(times):.1f} ms a step of {arguments.slots} rows")
    print(f"ratio, median of pairs: {statistics.median(first / second for first, second in rounds):.2f}")


def step(engine: Engine, rows: int, length: int) -> float:
    """Seconds of a step: the median of some, from the same length on."""
    for slot in range(rows):
        engine.prefill(slot, engine.embed([11]), length - 1)
    taken = []
    for _ in range(STEPS):
        begin = time.perf_counter()
        engine.decode([11] * rows, list(range(rows)))
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
