"""An answer to a list: its line, and by what the line is found again."""

from __future__ import annotations

import json

from edgekit.batch.result import RESULTS, Result

RESULT = Result(
    id="7#2",
    question="Why?",
    images=["\udcff.png"],
    sha256=["00"],
    model="m",
    fingerprint=None,
    sampling={"seed": None},
    text="Därum",
    reason="stop",
    tokens=3,
    seed=5,
    notes=[],
    error=None,
)


def test_a_line_is_utf_8_and_read_back_as_it_was() -> None:
    line = RESULT.line()
    assert "Därum".encode() in line
    assert json.loads(line)["images"] == ["\udcff.png"]
    assert RESULTS.read(line) == RESULT
    assert (RESULTS.key(RESULT), RESULTS.error(RESULT)) == ("7#2", None)
