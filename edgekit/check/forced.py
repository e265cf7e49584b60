"""An engine reads prompts and answers that are forced on it, token by token: its logits at every place of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from edgekit.check.golden import PICTURE, Golden, GoldenSequence, Outputs
from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Engine, Logits

SLOT = 0


class Reader:
    """Reads prompts into an engine's first slot. What a prompt begins with as the one before it did (the picture that
    both are about) is there already, and is not read again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._there: Array = np.zeros((0, 0), np.float32)

    def prefill(self, rows: Array) -> Logits:
        """Read a prompt's rows ``[n, hidden]``, in the engine's chunks; the last logits ``[vocab]``."""
        logits, start, step = np.zeros(0, np.float32), self._common(rows), self._engine.chunk
        for at in range(start, len(rows), step):
            logits = self._engine.prefill(SLOT, rows[at : at + step], at)
        self._there = rows
        return logits

    def _common(self, rows: Array) -> int:
        """How many rows are there already: never all, as the last one's logits are wanted."""
        return common_rows(rows, self._there, len(rows) - 1) if self._there.shape[1:] == rows.shape[1:] else 0

    def answer(self, rows: Array, stop_ids: Sequence[int], most: int) -> tuple[int, ...]:
        """Return the engine's own answer, greedy (the lowest id wins a tie): up to ``most`` tokens, one of ``stop_ids``
        the last."""
        token = int(self.prefill(rows).argmax())
        tokens = [token]
        while token not in stop_ids and len(tokens) < most:
            token = int(self._engine.decode([token], [SLOT])[0].argmax())
            tokens.append(token)
        return tuple(tokens)

    def forced(self, rows: Array, following: Sequence[int]) -> Logits:
        """Read a prompt and the tokens ``following`` it; return the logits ``[1 + len(following), vocab]`` behind the
        prompt and behind each of them."""
        first = self.prefill(rows)
        return np.stack([first, *(self._engine.decode([token], [SLOT])[0] for token in following)])

    def forced_rows(self, rows: Array, following: Array) -> Logits:
        """Do as :meth:`forced`, of embedding rows ``[n, hidden]`` that follow: the engine's own table is not used."""
        logits = [self.prefill(rows)]
        logits += [self._engine.prefill(SLOT, row[None], len(rows) + at) for at, row in enumerate(following)]
        return np.stack(logits)


def common_rows(rows: Array, others: Array, most: int) -> int:
    """Count the rows ``[n, hidden]`` that both begin with alike, ``most`` at the most."""
    most = min(len(rows), len(others), most)
    if most <= 0:
        return 0
    same = (rows[:most] == others[:most]).all(axis=1)
    return most if same.all() else int(same.argmin())


def stored_answers(
    engine: Engine, golden: Golden, tokens: Sequence[int], outputs: Outputs
) -> Iterator[tuple[GoldenSequence, Logits]]:
    """Force on ``engine`` the sequences by which a decoder is checked alone, from stored rows (:func:`stored_rows`);
    yield each with its logits ``[positions, vocab]``."""
    reader = Reader(engine)
    for at in golden.alone:
        sequence = golden.sequences[at]
        yield sequence, reader.forced_rows(*stored_rows(sequence, tokens, outputs))


def stored_rows(sequence: GoldenSequence, tokens: Sequence[int], outputs: Outputs) -> tuple[Array, Array]:
    """Return stored rows of a prompt about the first picture (``tokens`` are those of ``outputs.rows``), and of the
    answer's tokens but the last."""
    parts = [outputs.embeds[0] if token == PICTURE else _rows(outputs, tokens, [token]) for token in sequence.prompt]
    return np.concatenate(parts), _rows(outputs, tokens, sequence.answer[:-1])


def _rows(outputs: Outputs, tokens: Sequence[int], wanted: Sequence[int]) -> Array:
    rows: Array = outputs.rows[np.searchsorted(tokens, wanted)]
    return rows
