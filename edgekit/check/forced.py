"""An engine reads prompts and is told the answers, token by token: its logits at every place of an answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgekit.check.golden import PICTURE, GoldenSequence, Outputs
from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Engine, Logits

SLOT = 0


def prefill(engine: Engine, rows: Array) -> Logits:
    """Read a prompt's rows ``[n, hidden]`` into the first slot, in the engine's chunks; the last logits ``[vocab]``."""
    logits = np.zeros(0, np.float32)
    for start in range(0, len(rows), engine.chunk):
        logits = engine.prefill(SLOT, rows[start : start + engine.chunk], start)
    return logits


def answer(engine: Engine, rows: Array, stop_ids: Sequence[int], most: int) -> tuple[int, ...]:
    """The engine's own answer, greedy (the lowest id wins a tie): up to ``most`` tokens, one of ``stop_ids`` the
    last."""
    token = int(prefill(engine, rows).argmax())
    tokens = [token]
    while token not in stop_ids and len(tokens) < most:
        token = int(engine.decode([token], [SLOT])[0].argmax())
        tokens.append(token)
    return tuple(tokens)


def told(engine: Engine, rows: Array, tokens: Sequence[int]) -> Logits:
    """Logits ``[len(tokens), vocab]`` where an answer's tokens stand, each told after it was asked for."""
    first = prefill(engine, rows)
    return np.stack([first, *(engine.decode([token], [SLOT])[0] for token in tokens[:-1])])


def told_rows(engine: Engine, rows: Array, following: Array) -> Logits:
    """As :func:`told`, the tokens given as embedding rows ``[n, hidden]``: the engine's own table is not used."""
    logits = [prefill(engine, rows)]
    logits += [engine.prefill(SLOT, row[None], len(rows) + at) for at, row in enumerate(following)]
    return np.stack(logits)


def stored_rows(sequence: GoldenSequence, tokens: Sequence[int], outputs: Outputs) -> tuple[Array, Array]:
    """Stored rows of a prompt about the first picture (``tokens`` are those of ``outputs.rows``), and of the answer's
    tokens but the last."""
    parts = [outputs.embeds[0] if token == PICTURE else _rows(outputs, tokens, [token]) for token in sequence.prompt]
    return np.concatenate(parts), _rows(outputs, tokens, sequence.answer[:-1])


def _rows(outputs: Outputs, tokens: Sequence[int], wanted: Sequence[int]) -> Array:
    rows: Array = outputs.rows[np.searchsorted(tokens, wanted)]
    return rows
