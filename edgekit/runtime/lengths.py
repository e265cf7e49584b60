"""How long answers are, from those that ended last: how many tokens one has yet to come.

Some ended by themselves; others were cut off, by the most tokens that they were allowed or because nobody waited for
them any more, and would have been longer. Counting those as they are would make every answer look short, so the share
that goes on behind each length is estimated as for any such lives (Kaplan and Meier, JASA 1958).
"""

from __future__ import annotations

from collections import deque

ANSWERS = 64
"""So many answers that ended last say how long the next ones are."""


class AnswerLengths:
    """The lengths of the answers that ended last, in tokens."""

    def __init__(self) -> None:
        self._answers: deque[tuple[int, bool]] = deque(maxlen=ANSWERS)
        self._shares: list[tuple[int, float]] | None = None
        self._whole: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._answers)

    def add(self, tokens: int, *, cut: bool) -> None:
        """Take note of an answer that ended after ``tokens``, or was ``cut`` off there."""
        self._answers.append((tokens, cut))
        self._shares = None
        self._whole.clear()

    def left(self, come: int, most: int) -> int:
        """Guess how many tokens follow in an answer of which ``come`` have come and ``most`` are allowed; at least one.

        One that is longer than all before is taken to go on for as long as it did.
        """
        if come:
            return self._left(come, most)
        if most not in self._whole:  # asked for each that waits
            self._whole[most] = self._left(0, most)
        return self._whole[most]

    def _left(self, come: int, most: int) -> int:
        expected, at, share, reached = 0.0, come, 1.0, 1.0
        for tokens, longer in self._curve():
            if tokens <= come:
                share = reached = longer
            elif reached:
                expected += share / reached * max(min(tokens, most) - at, 0)
                at, share = max(at, min(tokens, most)), longer
        if not reached:
            expected = min(come, most - come)
        else:
            expected += share / reached * (most - at)
        return max(round(expected), 1)

    def _curve(self) -> list[tuple[int, float]]:
        """Lengths at which answers ended, upwards, and the share of all answers that are longer."""
        if self._shares is None:
            self._shares, share, rest = [], 1.0, len(self._answers)
            for tokens, cut in sorted(self._answers):  # of one length, those that ended come first
                if not cut:
                    share *= 1 - 1 / rest
                    self._shares.append((tokens, share))
                rest -= 1
        return self._shares
