"""Numbers that no model has, each said by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgekit.checkpoint.check import check_spec
from edgekit.checkpoint.spec import ModelSpec
from edgekit.errors import CheckpointError
from tests.unit.quantize.fakes import SPEC


def changed(part: str, **values: Any) -> ModelSpec:
    if not part:
        return replace(SPEC, **values)
    return replace(SPEC, **{part: replace(getattr(SPEC, part), **values)})


def test_a_model_that_can_be_passes() -> None:
    check_spec(SPEC, "config.json")


@pytest.mark.parametrize(
    ("part", "values", "problem"),
    [
        ("vision", {"heads": 0}, "a vision tower with heads 0"),
        ("vision", {"heads": 5}, "72 wide with 5 heads"),
        ("vision", {"layers": 1025}, "a vision tower of 1025 layers"),
        ("vision", {"patch": 29}, "28 pixels in patches of 29"),
        ("vision", {"norm_eps": float("nan")}, "a norm with epsilon nan"),
        ("decoder", {"vocab": 2**31}, "a decoder with vocab 2147483648"),
        ("decoder", {"kv_heads": 3}, "2 heads in 3 groups"),
        ("decoder", {"rope": replace(SPEC.decoder.rope, dim=49)}, "a rotary embedding of 49"),
        ("decoder", {"rope": replace(SPEC.decoder.rope, dim=50)}, "a rotary embedding of 50"),
        ("decoder", {"rope": replace(SPEC.decoder.rope, theta=0.0)}, "a number that is not above zero"),
        ("projector", {"widths": (72, 95)}, r"widths \[72, 95\] between a tower of 72 and a decoder of 96"),
        ("projector", {"widths": (72,)}, "a projector of widths"),
        ("image", {"size": 27}, "images of 27 pixels for a tower that reads 28"),
        ("image", {"std": (0.5, 0.0, 0.5)}, "divided by"),
        ("image", {"scale": 0.0}, "pixels times 0.0"),
        ("image", {"resized": 27}, "resized to 27 pixels"),
        ("image", {"fill": (0, 256, 0)}, "padding of the colour"),
        ("template", {"user": "{:9999}"}, "no place for the question"),
        ("template", {"user": "no place"}, "no place for the question"),
        ("template", {"reply": "{0}"}, "no place for the question"),
        ("template", {"user": "<image>{}"}, "an image where there is none"),
        ("template", {"system": "\ud800"}, "words that are no text"),
        ("template", {"stop": ("",)}, "stops at nothing"),
        ("", {"stop_ids": (320,)}, "special tokens .* in a vocabulary of 320"),
        ("", {"bos_id": -1}, "special tokens"),
    ],
)
def test_an_impossible_number_is_named(part: str, values: dict[str, Any], problem: str) -> None:
    with pytest.raises(CheckpointError, match=f"^config.json describes an impossible model: .*{problem}"):
        check_spec(changed(part, **values), "config.json")
