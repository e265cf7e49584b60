"""Cuts of the power at random moments of staging or installing, and what each has left."""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgekit.bundle import Bundle
from edgekit.deploy.layout import Layout
from edgekit.deploy.staging import stage, verify_release
from edgekit.errors import EdgeKitError
from tests.lab.disk import Lab, go_on
from tests.lab.stager import code
from tests.releases import UNIT

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Cut:
    """What is cut: the ``module`` of a process that is given the disk's root, a bundle and its mode; and
    ``problems(root, bundle, told)``, which says what is wrong on the disk after a cut."""

    module: str
    problems: Callable[[Path, Bundle, set[str]], Iterator[str]]


def _problems(root: Path, bundle: Bundle, promised: set[str]) -> Iterator[str]:
    """What is not as it was promised, and whether the next run puts it in order."""
    layout = Layout(root)
    there = layout.identities()
    yield from (f"{identity} was there, and is gone" for identity in promised.difference(there))
    yield from filter(None, (_damage(layout, identity) for identity in there))
    staged = stage(bundle, code(-1), layout, UNIT).identity
    verify_release(layout.release(staged), staged)
    if sorted(os.listdir(layout.releases)) != sorted({*there, staged}):
        yield f"the next run left {os.listdir(layout.releases)}"


STAGING = Cut("tests.lab.stager", _problems)


def cut_often(lab: Lab, bundle: Bundle, times: int, *mode: str, of: Cut = STAGING, seed: int = 1) -> list[str]:
    """Cut the power ``times`` times while releases of ``bundle`` are staged; return what was wrong afterwards."""
    moments, wrong = random.Random(seed), list[str]()
    with _begun(lab, bundle, of, *mode) as (process, lines):
        told = lines.until_staged(1, set())
        began = time.monotonic()
        told = lines.until_staged(1, told)  # so that what is cut is an upgrade
        each_s = time.monotonic() - began
        for number in range(times):
            time.sleep(moments.uniform(0, 1.5 * each_s))
            lab.cut(process)
            told = lines.now(told)
            with lab.after_the_cut() as root:
                wrong += [f"cut {number}: {problem}" for problem in of.problems(root, bundle, told)]
            go_on(process)
    return wrong


def _damage(layout: Layout, identity: str) -> str:
    try:
        verify_release(layout.release(identity), identity)
    except EdgeKitError as error:
        return error.message
    return ""


class _Lines:
    """What the stager has told until now; its pipe is read past Python's buffers, so that nothing waits in them."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""
        self._staged = 0

    def until_staged(self, count: int, promised: set[str]) -> set[str]:
        """Wait until so many more are there; return which must be."""
        until = self._staged + count
        while self._staged < until:
            promised = self._read(promised)
        return promised

    def now(self, promised: set[str]) -> set[str]:
        """Take what was told before, waiting for nothing."""
        while select.select([self._descriptor], [], [], 0)[0]:
            promised = self._read(promised)
        return promised

    def _read(self, promised: set[str]) -> set[str]:
        piece = os.read(self._descriptor, 1 << 16)
        if not piece:
            raise RuntimeError("the stager has ended")
        *lines, self._rest = (self._rest + piece).split(b"\n")
        promised = set(promised)
        for word, identity in (line.decode().split() for line in lines):
            self._staged += word == "staged"
            (promised.add if word == "staged" else promised.discard)(identity)
        return promised


@contextmanager
def _begun(lab: Lab, bundle: Bundle, of: Cut, *mode: str) -> Iterator[tuple[subprocess.Popen[bytes], _Lines]]:
    command = [sys.executable, "-m", of.module, str(lab.root), str(bundle.path), *mode]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield process, _Lines(process.stdout.fileno())
        finally:
            process.kill()
