"""A code in half blocks is the code that it was, with a quiet zone around it."""

from __future__ import annotations

import segno

from edgekit.cli.show.qr import code_lines

LINK = "https://ward7.example:8080/#invitation=" + "a" * 43


def test_every_square_is_drawn() -> None:
    lines = code_lines(LINK)
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) < 60, "it fits on a terminal of 80 columns"
    halves = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
    rows = [[halves[letter][half] for letter in line] for line in lines for half in (0, 1)]
    expected = [list(row) for row in segno.make_qr(LINK, error="l").matrix_iter(border=2)]
    assert rows[: len(expected)] == expected
    assert not any(expected[0] + expected[1])
