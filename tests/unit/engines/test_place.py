"""What a compiled form was made for: its name, and what differs here."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from edgekit.engines.place import Place

HERE = Place(
    engine="tensorrt",
    version="10.3.0",
    arch="x86_64",
    features=("avx2",),
    device="A card",
    compute_capability="8.6",
    driver="580.65",
    cuda="13.0",
    l4t="36.4",
)


@pytest.mark.parametrize("name", [field.name for field in fields(Place)])
def test_every_part_counts(name: str) -> None:
    changes: dict[str, Any] = {name: ("fma",) if name == "features" else "another"}
    other = replace(HERE, **changes)
    assert other.fingerprint != HERE.fingerprint
    (words,) = HERE.differences(other)
    assert ("avx2, fma" if name == "features" else "another") in words


def test_it_does_not_differ_from_itself() -> None:
    assert HERE.differences(HERE) == []
    assert replace(HERE).fingerprint == HERE.fingerprint


def test_what_was_left_empty_may_be_anything() -> None:
    """Engines that were built ahead are bound to a compute capability alone."""
    ahead = Place(engine="tensorrt", version="10.3.0", arch="x86_64", features=("avx2",), compute_capability="8.6")
    assert HERE.differences(ahead) == []
    assert ahead.differences(HERE) == [
        "A card, here none",
        "driver 580.65, here none",
        "CUDA 13.0, here none",
        "L4T 36.4, here none",
    ]
