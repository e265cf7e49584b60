"""The keys of every ``--json`` document, and of a bundle's files, are those that were recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.documents import RECORD, Shape, differences, documents


def test_every_document_has_the_recorded_keys(tmp_path: Path) -> None:
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    today = documents(tmp_path)
    assert list(today) == list(recorded)
    assert not [f"{name}: {line}" for name in recorded for line in differences(recorded[name], today[name])]


@pytest.mark.parametrize(
    ("recorded", "today", "said"),
    [
        ({"a": "text"}, {"a": "text"}, ""),
        ({"a": "text"}, {"a": "number"}, "/a is number, and was text"),
        ({"a": [{"b": "text"}]}, {"a": [{"c": "text"}]}, "/a/0/b is gone"),
        ({"a": "text"}, {"a": "text", "b": "text"}, "/b is new"),
        ({"a": "text", "b": []}, {"b": [], "a": "text"}, ": b, a stood in another order: a, b"),
        ({"a": "nothing", "b": ["text"]}, {"a": {"c": "text"}, "b": []}, ""),
        (["text"], {"a": "text"}, " is an object, and was a list"),
    ],
)
def test_a_difference_is_told(recorded: Shape, today: Shape, said: str) -> None:
    assert next(differences(recorded, today), "") == said
