"""A first look at a bundle, in seconds: memory, load time and speed of one question about one picture."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit import config
from edgekit.bundle import Bundle, open_bundle
from edgekit.child import listen, python
from edgekit.inputs.prompt import Turn
from edgekit.machine.memory import Memory, Peak, memory
from edgekit.profile.latency import repeated, timed_answer
from edgekit.runtime.model import Model


@dataclass(frozen=True, kw_only=True)
class Glance:
    """A glance is what a bundle takes at first sight, in memory and in time.

    - ``before``: memory with Python and the libraries loaded, but no model; ``loaded``: with the model, ready to answer
    - ``peak``: the most while loading and answering a question about a picture for the first time
    - ``load_s``: from opening the bundle until it can be asked, Python's own start not counted
    - ``first_token_ms``, ``tokens_per_s``: medians over some answers
    """

    before: Memory
    loaded: Memory
    peak: Memory
    load_s: float
    first_token_ms: float
    tokens_per_s: float


def glance(bundle: Path, question: str, image: Path) -> Glance:
    """Look at ``bundle``, with its target's slots, answering ``question`` about the picture in ``image``.

    In a process of its own, since one that built or answered before has memory and caches of that.
    :class:`~edgekit.errors.EdgeKitError` where it can't be opened or asked.
    """
    slots = open_bundle(bundle).manifest.target.slots
    command = python("edgekit.profile", "glance", str(bundle), str(slots), "1.0", question, str(image))
    (document,) = listen(command, f"Measuring {bundle}")
    return config.load(Glance, document, f"the profile of {bundle}")


def glance_here(bundle: Bundle, slots: int, turns: Sequence[Turn], seconds: float) -> Glance:
    """Look in this process; its figures are a bundle's only where this process has done nothing else before."""
    before = memory()
    with Peak() as peak:
        began = time.perf_counter()
        model = Model.open(bundle.path, slots)
        load_s = time.perf_counter() - began
        loaded = memory()
        timed_answer(model, turns)
    rates: list[float] = []

    def first_token(index: int) -> float:
        milliseconds, answer = timed_answer(model, turns)
        assert answer.completion
        rates.append(answer.completion.tokens_per_s)
        return milliseconds

    with model:
        first = repeated(first_token, seconds)
    return Glance(
        before=before,
        loaded=loaded,
        peak=peak.memory,
        load_s=load_s,
        first_token_ms=first.median,
        tokens_per_s=sorted(rates)[len(rates) // 2],
    )
