"""The model that is asked, of those that a server lists."""

from __future__ import annotations

from typing import Any

import pytest

from edgekit.batch.served import ServedModel, choose
from edgekit.errors import InputError

URL = "http://ward7.local"


def entry(name: Any, **facts: Any) -> dict[str, Any]:
    return {"id": name} | ({"edgekit": facts} if facts else {})


@pytest.mark.parametrize(
    ("models", "name", "expected"),
    [
        ([entry("m")], None, ServedModel("m", None, 4)),
        ([entry("m", fingerprint="f", slots=8)], None, ServedModel("m", "f", 16)),
        (
            [entry("m", fingerprint="f", slots=8), entry("alias", fingerprint="f", slots=8)],
            None,
            ServedModel("m", "f", 16),
        ),
        ([entry("m"), entry("n")], "n", ServedModel("n")),
        ([entry("m", fingerprint="f", slots=1)], None, ServedModel("m", "f", 2)),
        ([entry("m", fingerprint="f", slots=0)], None, ServedModel("m", "f", 4)),
        ([entry("m", fingerprint="f", slots=True)], None, ServedModel("m", "f", 4)),
        ([entry("m", fingerprint="f", slots=10**9)], None, ServedModel("m", "f", 72)),
    ],
)
def test_the_model_is_the_named_one_or_the_only_one(models: list[Any], name: str | None, expected: ServedModel) -> None:
    assert choose({"data": models}, name, URL) == expected


@pytest.mark.parametrize(
    ("document", "name", "message"),
    [
        ({"data": [entry("m"), entry("n")]}, None, "has not one model, but: m, n"),
        ({"data": [entry("m", fingerprint="f"), entry("n", fingerprint="g")]}, None, "has not one model, but: m, n"),
        ({"data": []}, None, "has not one model, but: none"),
        ({"data": [entry("m")]}, "n", "has no model 'n'; it has: m"),
        ({"data": [entry(3)]}, None, "does not list its models"),
        ({"data": ["m"]}, None, "does not list its models"),
        ({"models": []}, None, "does not list its models"),
        ([], "m", "does not list its models"),
        (None, None, "does not list its models"),
    ],
)
def test_what_cannot_be_chosen_is_told(document: Any, name: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        choose(document, name, URL)
