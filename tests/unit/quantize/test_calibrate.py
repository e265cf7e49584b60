"""By which method, and by which of a user's examples a checkpoint is quantized."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.errors import ConfigError
from edgekit.inputs.examples import Example
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import ImagePiece, Prompt, TextPiece
from edgekit.quantize.calibrate import PICTURES, pictures, spread, with_method
from edgekit.quantize.quantize import quantize
from edgekit.recipe import Method
from tests.unit.quantize.fakes import SPEC, Stored, normal, recipe

DATA = Path("questions.json")
PLAIN = Checkpoint(
    Path("models/test"), SPEC, {name: Stored(normal(*shape)) for name, shape in tensor_shapes(SPEC).items()}, "", 0
)


@pytest.mark.parametrize(
    ("changes", "data", "method"),
    [
        ({"group": 128}, None, "rtn"),
        ({"group": 128}, DATA, "awq+gptq"),
        ({"group": 64}, DATA, "gptq"),
        ({"group": 128, "method": "awq"}, DATA, "awq"),
        ({"decoder": "fp16", "lm_head": "fp16", "kv": "int8"}, DATA, "rtn"),
    ],
)
def test_examples_choose_the_best_method_where_a_recipe_names_none(
    changes: dict[str, Any], data: Path | None, method: Method
) -> None:
    wanted = recipe(**changes)
    assert with_method(PLAIN, wanted, data) == replace(wanted, method=method)


@pytest.mark.parametrize(
    ("checkpoint", "wanted", "data", "said"),
    [
        (PLAIN, recipe(method="gptq"), None, "is made by gptq"),
        (PLAIN, recipe("fp16"), DATA, "examples would change nothing"),
        (quantize(PLAIN, recipe()), recipe(), DATA, "quantized already"),
    ],
)
def test_a_method_without_examples_and_examples_without_use_are_refused(
    checkpoint: Checkpoint, wanted: Any, data: Path | None, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        with_method(checkpoint, wanted, data)


@pytest.mark.parametrize("there", [1, 31, 32, 33, 63, 64, 95, 1000])
def test_examples_are_taken_at_equal_distances_from_all_over(there: int) -> None:
    examples = [Example(str(place), None, None) for place in range(there)]
    places = [int(example.question) for example in spread(examples, 32)]
    assert len(places) == min(there, 32)
    assert places[0] == 0
    step = max(1, there / 32)
    assert {after - before for before, after in pairwise([*places, there])} <= {math.floor(step), math.ceil(step)}


def test_a_picture_is_prepared_once_and_only_so_many_are() -> None:
    shown = [Picture(Image.new("L", (9, 9), shade).convert("RGB"), str(shade)) for shade in range(PICTURES + 2)]
    pieces = [ImagePiece(picture, SPEC.image, 16) for picture in shown]
    prompts = [Prompt((TextPiece((1,)), piece)) for piece in [pieces[0], *pieces]]
    prepared = pictures(prompts)
    assert [round(float(pixels.mean() + 1) * 127.5) for pixels in prepared] == list(range(PICTURES))
