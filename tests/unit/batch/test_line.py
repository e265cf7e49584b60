"""Lines of a kind: read back as they were, and nothing else taken for one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from edgekit.batch.line import Kind


@dataclass(frozen=True)
class Said:
    """A line of a toy's kind."""

    number: int
    said: dict[str, Any] = field(default_factory=dict)

    def line(self) -> bytes:
        return (json.dumps(asdict(self)) + "\n").encode()


SAID = Kind(Said, "sayings", key=lambda said: said.number, error=lambda said: said.said["error"])


def test_a_line_is_read_back_as_it_was() -> None:
    said = Said(3, {"error": None, "x": [1.5, "ü"]})
    assert SAID.read(said.line()) == said
    assert said.line().startswith(SAID.start)
    assert SAID.start == b'{"number": '


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"3",
        b"[3, {}]",
        b'{"number": 3}',
        b'{"said": {"error": null}, "number": 3}',
        b'{"number": 3, "said": {"error": null}, "more": 1}',
        b'{"number": [3], "said": {"error": null}}',
        b'{"number": 3, "said": {}}',
        b'{"number": 3, "said": []}',
        b'{"number": 3, "said": {"error": null}',
        b"\xff",
        b"[" * 100_000,
    ],
    ids=lambda line: line[:40],
)
def test_what_is_no_line_of_the_kind_is_none(line: bytes) -> None:
    assert SAID.read(line) is None
