"""The rows that a model is calibrated with, and how much a word and a picture's row count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from edgekit.blocks import BlockModel, Floats
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import ImagePiece, Prompt, TextPiece
from edgekit.quantize.samples import samples
from tests.unit.quantize.fakes import SPEC

ROWS, WIDTH = 6, 3


class Model:
    """Reads a token as its number, and a picture as its mean."""

    spec = SPEC

    def __init__(self) -> None:
        self.read: list[int] = []

    def embed(self, ids: Sequence[int]) -> Floats:
        return np.repeat(np.array(ids, np.float32)[:, None], WIDTH, axis=1)

    def encode(self, pixels: Sequence[Floats], step: Callable[[], None]) -> tuple[list[Floats], list[Floats]]:
        self.read.append(len(pixels))
        for _ in range(SPEC.vision.layers + 3):
            step()
        return [], [np.full((1, ROWS, WIDTH), x.mean(), np.float32) for x in pixels]


def picture(shade: int) -> ImagePiece:
    shown = Picture(Image.new("RGB", (4, 4), (shade, shade, shade)), str(shade))
    return ImagePiece(shown, replace(SPEC.image, mean=(0, 0, 0), std=(1, 1, 1)), ROWS)


def words(*ids: int) -> TextPiece:
    return TextPiece(ids)


def taken(*prompts: Prompt, **more: Any) -> tuple[Model, list[Any]]:
    model = Model()
    return model, samples(cast(BlockModel, model), prompts, **more)


def test_rows_lie_in_the_prompt_s_order_and_a_picture_is_read_once_for_all_prompts() -> None:
    white, black = picture(255), picture(0)
    events: list[tuple[str, int, int]] = []
    model, (first, second) = taken(
        Prompt((words(7, 8), white, words(9))),
        Prompt((black, words(5), picture(255))),
        progress=lambda *event: events.append(event),
    )
    assert model.read == [2]
    np.testing.assert_array_equal(first.rows[:, 0], [7, 8, *[1] * ROWS, 9])
    np.testing.assert_array_equal(second.rows[:, 2], [*[0] * ROWS, 5, *[1] * ROWS])
    assert [event[1:] for event in events] == [(done, 4) for done in range(1, 5)]


@pytest.mark.parametrize(
    ("pieces", "share"),
    [
        ((words(1), picture(0), words(2, 3)), 3 / 6),  # all its rows together as much as the words
        ((words(*range(60)), picture(0)), 1),  # none more than a word
        ((words(1, 2, 3), picture(0), picture(9)), 3 / 12),
        ((picture(0),), 0),
    ],
)
def test_a_picture_counts_as_much_as_the_text_beside_it(pieces: tuple[Any, ...], share: float) -> None:
    _, (sample,) = taken(Prompt(pieces))
    expected = [share if isinstance(piece, ImagePiece) else 1 for piece in pieces for _ in range(len(piece))]
    np.testing.assert_allclose(sample.weights, expected)


def test_text_alone_reads_no_picture() -> None:
    model, (sample,) = taken(Prompt((words(4, 2),)))
    assert model.read == []
    np.testing.assert_array_equal(sample.weights, [1, 1])
