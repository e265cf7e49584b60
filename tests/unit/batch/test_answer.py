"""What is said of a row that has no answer."""

from __future__ import annotations

from edgekit.batch.answer import Answer, failed
from edgekit.errors import InputError


def test_an_error_is_one_line() -> None:
    answer = failed(InputError("It is lost", "Look for it."), ["00"])
    assert answer == Answer(sha256=("00",), error="It is lost. Look for it.")
