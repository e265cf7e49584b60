"""What came of questions with known answers: how sure the model was of each, and whether it was right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Answers by their ``scores`` [n] from 0 to 1, which of them are ``right`` [n], and the ``pictures`` that they are
    about, n names."""

    scores: Floats
    right: Truths
    pictures: tuple[str, ...]

    @classmethod
    def of(cls, rows: Sequence[tuple[float, bool, str]]) -> Outcomes:
        """Return outcomes of (score, right, picture)."""
        scores, right, pictures = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(np.array(scores, np.float64), np.array(right, np.bool_), pictures)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def error(self) -> float:
        """The share of answers that are wrong; 0 where there are none."""
        return float(1 - self.right.mean()) if len(self) else 0.0

    def at_least(self, threshold: float) -> tuple[int, int]:
        """Return how many answers have a score of ``threshold`` or more, and how many of them are wrong."""
        given = self.scores >= threshold
        return int(given.sum()), int((given & ~self.right).sum())

    def halves(self, key: str) -> tuple[Outcomes, Outcomes]:
        """Return two parts of about as many answers, all of those about a picture in one of them.

        Which picture comes where hangs on its name and on ``key`` alone: the same in every run.
        """
        order = sorted(set(self.pictures), key=lambda picture: sha256(f"{key}/{picture}".encode()).digest())
        counts = dict.fromkeys(order, 0)
        for picture in self.pictures:
            counts[picture] += 1
        ends = np.cumsum([counts[picture] for picture in order])
        first = set(order[: int(np.searchsorted(ends, len(self) / 2, side="right"))])
        chosen = np.array([picture in first for picture in self.pictures], np.bool_)
        return self.part(chosen), self.part(~chosen)

    def part(self, chosen: Truths) -> Outcomes:
        """Return the answers that are ``chosen`` [n]."""
        pictures = tuple(picture for picture, each in zip(self.pictures, chosen, strict=True) if each)
        return Outcomes(self.scores[chosen], self.right[chosen], pictures)
