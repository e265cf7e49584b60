"""Measure a bundle in a fresh process, since a process that built or answered before has memory and caches of that."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from edgekit import config
from edgekit.bundle import open_bundle
from edgekit.child import environment, python
from edgekit.errors import EdgeKitError, EngineError
from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import Turn
from edgekit.profile.latency import latency, timed_answer
from edgekit.profile.memory import Memory, Peak, memory
from edgekit.runtime.model import Model


@dataclass(frozen=True)
class Profile:
    """``before``: memory with Python and the libraries loaded, but no model; ``loaded``: with the model, ready to
    answer; ``peak``: the most while loading and answering a question about a picture for the first time.

    ``load_s`` is from opening the bundle until it can be asked (Python's own start not counted). First token and
    tokens per second are medians, as :mod:`edgekit.profile.latency` says.
    """

    before: Memory
    loaded: Memory
    peak: Memory
    load_s: float
    first_token_ms: float
    tokens_per_s: float


def profile(bundle: Path, question: str, image: Path) -> Profile:
    """Measure ``bundle``, with its target's slots, answering ``question`` about the picture in ``image``.

    :class:`~edgekit.errors.EdgeKitError` where it can't be opened or asked.
    """
    command = python("edgekit.profile", str(bundle), question, str(image))
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), stdin=subprocess.DEVNULL)
    match _answer(done.stdout):
        case ["done", found]:
            return config.load(Profile, found, f"the profile of {bundle}")
        case ["error", str(message), str(hint)]:
            raise EdgeKitError(message, hint)
    raise EngineError(f"Measuring {bundle} failed: {_reason(done)}"[:400], "Check that there is memory left.")


def _answer(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        names = {one.value: one.name for one in signal.Signals}
        return f"it was ended by {names.get(-done.returncode, f'signal {-done.returncode}')}"
    return (done.stderr.strip().splitlines() or ["there was no answer"])[-1]


def measure(bundle: Path, question: str, image: Path) -> Profile:
    """Measure in this process; its figures are a bundle's only where this process has done nothing else before."""
    slots = open_bundle(bundle).manifest.target.slots
    turns = [Turn(question, images=(load_image(image),))]
    before = memory()
    with Peak() as peak:
        began = time.perf_counter()
        model = Model.open(bundle, slots)
        load_s = time.perf_counter() - began
        loaded = memory()
        timed_answer(model, turns)
    with model:
        times = latency(model, turns)
    return Profile(before, loaded, peak.memory, load_s, times.first_token_ms, times.tokens_per_s)
