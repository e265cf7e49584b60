"""Phantoms to try on the demo's page: a click each, with a question that the embedded model has an answer to.

None of them was trained on; their answers are held by a test.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np

from edgekit.phantom import Asked, ask, draw, scene
from edgekit.serve.sample import Sample

CHOSEN = ((11_000_288, "heart"), (11_000_016, "where"), (11_000_003, "which device"), (11_000_012, "description"))
"""Seeds of the test split, and what is asked of each: a big heart, a pneumothorax, a pacemaker, three findings."""


def asked() -> Iterator[Asked]:
    """Yield each phantom with its question and the right answer."""
    for seed, topic in CHOSEN:
        shown = scene(seed)
        questions = ask(shown, np.random.default_rng(0))
        yield Asked(shown, next(question for question in questions if question.topic == topic))


def samples() -> tuple[Sample, ...]:
    """Draw them."""
    return tuple(
        Sample(f"phantom-{number}", chosen.question.text, png(chosen)) for number, chosen in enumerate(asked(), 1)
    )


def png(chosen: Asked) -> bytes:
    """Return a phantom's picture as a PNG."""
    data = io.BytesIO()
    draw(chosen.scene).save(data, "PNG")
    return data.getvalue()
