"""Staging a large bundle beside the least that would do the same: hash, copy, flush, forget, hash the copy.

    python -m tests.benchmarks.staging DIR [GIB] [ROUNDS]

``DIR`` gets a bundle of random bytes, default 1 GiB, in files as a decoder's are: one large one, and some small. Each
round stages it, then runs ``sha256sum``, ``cp``, ``sync``, drops the copy from the page cache and hashes it, too; both
from a bundle that is not in the page cache. It prints each round's ratio, more than 1 where staging is faster; the goal
is 0.8.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from edgekit.bundle import Bundle, open_bundle, sealing
from edgekit.deploy.durable import forget
from edgekit.deploy.layout import Layout
from edgekit.deploy.staging import stage
from tests import specs
from tests.releases import UNIT, PlainCode

PIECE = 1 << 24


def main(folder: str, gib: str = "1", rounds: str = "3") -> None:
    path = Path(folder, f"bundle-{gib}")
    if not path.exists():
        _write(path, round(float(gib) * (1 << 30)))
    bundle = open_bundle(path)
    for number in range(int(rounds)):
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _forget(path)
            staged = _timed(partial(stage, bundle, PlainCode({"main.py": b""}), Layout(Path(scratch)), UNIT))
            shutil.rmtree(scratch)
            os.mkdir(scratch)
            _forget(path)
            by_hand = _timed(partial(_by_hand, bundle, Path(scratch, "copy")))
        print(f"round {number}: staged {staged:.2f} s, by hand {by_hand:.2f} s, ratio {by_hand / staged:.2f}")


def _write(path: Path, size: int) -> None:
    with sealing(path, specs.manifest()) as inside:
        for index in range(8):
            (inside / f"small{index}").write_bytes(os.urandom(1 << 20))
        with (inside / "decoder.data").open("wb") as file:
            for _ in range(size // PIECE):
                file.write(os.urandom(PIECE))


def _by_hand(bundle: Bundle, copy: Path) -> None:
    names = sorted(bundle.manifest.files)
    subprocess.run(["sha256sum", *names], cwd=bundle.path, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cp", "-r", str(bundle.path), str(copy)], check=True)
    subprocess.run(["sync", "-f", str(copy)], check=True)
    _forget(copy)
    subprocess.run(["sha256sum", *names], cwd=copy, check=True, stdout=subprocess.DEVNULL)


def _forget(folder: Path) -> None:
    for path in folder.iterdir():
        forget(path)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
