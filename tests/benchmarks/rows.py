"""What it costs to keep a prefix that stands in the way of rows that decode: moving it, or taking it along.

    python -m tests.benchmarks.rows BUNDLE

The rows that decode must lead the arena. When one of them ends, its slot keeps a prefix worth keeping, in
front of rows that go on. Either the last of those is moved there (a swap, once), or the idle row decodes
along with them (at every step). Prints both costs, and after how many steps the swap has paid for itself.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from edgekit.bundle import open_bundle
from edgekit.engines.onnxruntime.engine import OnnxRuntimeEngine
from edgekit.engines.open import open_engine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--prefix", type=int, default=800, help="tokens in every slot")
    arguments = parser.parse_args()
    engine = open_engine(open_bundle(arguments.bundle), slots=8)
    assert isinstance(engine, OnnxRuntimeEngine)
    tokens = np.random.default_rng(0).integers(10, 100, arguments.prefix).tolist()
    for start in range(0, len(tokens), engine.chunk):
        engine.prefill(0, engine.embed(tokens[start : start + engine.chunk]), start)
    for slot in range(1, 8):
        engine.copy(0, slot, len(tokens))
    swap = milliseconds(lambda: engine._arena._exchange(0, 7), 20)
    print(f"swap of two rows of {arguments.prefix} tokens: {swap:.1f} ms")
    step = {rows: milliseconds(partial(engine.decode, [11] * rows, list(range(rows))), 12) for rows in (2, 4, 6, 8)}
    for rows in (2, 4, 6):
        extra = step[rows + 2] - step[rows]
        steps = f"pays after {swap / extra:.1f} steps" if extra > 0 else "an idle pair costs nothing here"
        print(f"{rows} rows {step[rows]:.1f} ms, {rows + 2} rows {step[rows + 2]:.1f} ms a step: a swap {steps}")


def milliseconds(run: Callable[[], object], times: int) -> float:
    """The median of several runs, after one that does not count."""
    run()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return 1000 * statistics.median(taken)


if __name__ == "__main__":
    main()
