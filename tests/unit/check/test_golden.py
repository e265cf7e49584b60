"""A golden record is read as it was written, and what names nothing that is there is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from edgekit.bundle import Bundle, unsealed
from edgekit.check.golden import (
    ARRAYS,
    GOLDEN,
    PICTURE,
    Arrays,
    Golden,
    GoldenSequence,
    Outputs,
    Position,
    read_golden,
    write_golden,
)
from edgekit.errors import BundleError
from tests.edited import edit
from tests.fake_engine import HIDDEN, VOCAB, fake_spec
from tests.unit.check.case import GOLDEN as EMPTY
from tests.unit.check.case import MANIFEST

IMAGE_TOKENS = fake_spec().tokens_per_image
TOKENS = (5, 6, 7, 8)


def position(token: int) -> Position:
    return Position(token, 0.5, (3, token), (1.5, 0.5), 2.0)


RECORD = replace(
    EMPTY,
    pictures=("golden/00.png",),
    kept_ids=(0, 100),
    alone=(0,),
    sequences=(
        GoldenSequence("Where?", 0, (5, PICTURE, 6), (position(7), position(8))),
        GoldenSequence("Why?", None, (5, 6), (position(7),)),
    ),
    errors={"vision": 0.01},
)


def outputs(pictures: int, seed: int) -> Outputs:
    random = np.random.default_rng(seed)
    shapes = (pictures, IMAGE_TOKENS, HIDDEN), (pictures, IMAGE_TOKENS, HIDDEN), (len(TOKENS), HIDDEN), (2, 2)
    return Outputs(*(random.normal(size=shape).astype(np.float32) for shape in shapes))


def written(folder: Path, golden: Golden = RECORD, pictures: int = 1) -> Bundle:
    """A bundle with the record, and the pictures that it names."""
    (folder / "golden").mkdir()
    for at in range(pictures):
        (folder / "golden" / f"{at:02d}.png").write_bytes(b"a picture")
    pixels = np.full((pictures, 3, 4, 4), 0.25, np.float32)
    write_golden(folder, golden, Arrays(pixels, np.array(TOKENS), outputs(pictures, 1), outputs(pictures, 2)))
    return unsealed(folder, MANIFEST)


def test_it_is_read_as_it_was_written_in_half_precision(tmp_path: Path) -> None:
    golden, arrays = read_golden(written(tmp_path))
    assert golden == RECORD
    assert arrays.tokens.tolist() == list(TOKENS)
    assert {array.dtype for array in (arrays.pixels, *vars(arrays.exact).values())} == {np.dtype(np.float16)}
    for stored, given in ((arrays.reference, outputs(1, 1)), (arrays.exact, outputs(1, 2))):
        for name, array in vars(given).items():
            np.testing.assert_array_equal(getattr(stored, name), array.astype(np.float16))
    assert golden.sequences[0].answer == (7, 8)


def test_numbers_too_large_for_half_precision_are_the_largest_that_there_are(tmp_path: Path) -> None:
    written(tmp_path)
    large = replace(outputs(1, 1), logits=np.array([[1e9, -1e9], [np.inf, 1]], np.float32))
    write_golden(tmp_path, RECORD, Arrays(np.zeros((1, 3, 4, 4)), np.array(TOKENS), large, outputs(1, 2)))
    _, arrays = read_golden(unsealed(tmp_path, MANIFEST))
    assert arrays.reference.logits.tolist() == [[65504, -65504], [65504, 1]]


def test_text_alone_needs_no_picture(tmp_path: Path) -> None:
    text = replace(RECORD, pictures=(), sequences=(replace(RECORD.sequences[0], picture=None, prompt=(5,)),))
    assert read_golden(written(tmp_path, text, pictures=0))[1].pixels.shape == (0, 3, 4, 4)


def sequence(at: int, **changed: Any) -> Callable[[Any], object]:
    return lambda document: document["sequences"][at].update(changed)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda document: document.update(sequences=[]), "no sequences"),
        (lambda document: document.update(alone=[]), "no sequences"),
        (lambda document: document.update(probes=[0, VOCAB]), "outside the vocabulary"),
        (lambda document: document.update(alone=[2]), "not there"),
        (lambda document: document["sequences"][0]["positions"][0].update(ids=[3, VOCAB]), "not there"),
        (lambda document: document["sequences"][0]["positions"][0].update(logits=[1.5]), "not there"),
        (sequence(0, picture=1), "not there"),
        (sequence(0, picture=-1), "not there"),
        (sequence(0, prompt=[5, 6]), "not there"),
        (sequence(0, prompt=[5, PICTURE, PICTURE]), "not there"),
        (sequence(0, prompt=[5, PICTURE, 9]), "not there"),
        (sequence(1, prompt=[5, PICTURE]), "not there"),
        (sequence(1, prompt=[]), "not there"),
        (sequence(1, positions=[]), "not there"),
        (sequence(1, prompt=[5] * MANIFEST.context), None),
        (sequence(1, prompt=[5] * (MANIFEST.context + 1)), "longer than the context"),
        (sequence(0, prompt=[PICTURE, *[5] * (MANIFEST.context - IMAGE_TOKENS)]), "longer than the context"),
    ],
)
def test_every_number_names_something_that_is_there(
    harm: Callable[[Any], object], said: str | None, tmp_path: Path
) -> None:
    written(tmp_path)
    edit(tmp_path / GOLDEN, harm)
    bundle = unsealed(tmp_path, MANIFEST)
    if said is None:
        read_golden(bundle)
        return
    with pytest.raises(BundleError, match=said) as refused:
        read_golden(bundle)
    assert "Copy the bundle again" in refused.value.hint


@pytest.mark.parametrize(
    "harm", [lambda text: text[:200], lambda text: "[]", lambda text: text.replace(":1,", ":9,", 1)]
)
def test_a_damaged_record_is_one_clear_error(harm: Callable[[str], str], tmp_path: Path) -> None:
    written(tmp_path)
    file = tmp_path / GOLDEN
    file.write_text(harm(file.read_text()))
    with pytest.raises(BundleError, match=r"golden\.json"):
        read_golden(unsealed(tmp_path, MANIFEST))


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("tokens", np.array([5, 7, 6, 8]), "do not rise"),
        ("tokens", np.array([5, 6, 7, VOCAB]), "outside the vocabulary"),
        ("tokens", np.array([5, 6, 7, 8], np.float16), "holds no tokens"),
        ("pixels", np.zeros((2, 3, 4, 4), np.float16), "another shape: pixels"),
        ("exact.rows", np.zeros((3, HIDDEN), np.float16), "another shape: rows"),
        ("reference.logits", np.zeros((2, 3), np.float16), "another shape: logits"),
        ("exact.embeds", np.zeros((1, IMAGE_TOKENS, HIDDEN), np.float32), "holds no exact.embeds"),
        ("exact.features", None, "holds no exact.features"),
    ],
)
def test_arrays_of_another_shape_or_kind_are_named(
    name: str, array: np.ndarray | None, said: str, tmp_path: Path
) -> None:
    written(tmp_path)
    arrays = load_file(tmp_path / ARRAYS)
    arrays.pop(name)
    save_file(arrays if array is None else {**arrays, name: array}, tmp_path / ARRAYS)
    with pytest.raises(BundleError, match=said):
        read_golden(unsealed(tmp_path, MANIFEST))


def test_arrays_that_were_cut_are_one_clear_error(tmp_path: Path) -> None:
    written(tmp_path)
    file = tmp_path / ARRAYS
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(BundleError, match=r"golden\.safetensors"):
        read_golden(unsealed(tmp_path, MANIFEST))


def test_a_bundle_without_a_record_or_its_picture_says_so(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no golden answers") as refused:
        read_golden(unsealed(tmp_path, MANIFEST))
    assert "edgekit build" in refused.value.hint
    written(tmp_path)
    (tmp_path / "golden" / "00.png").unlink()
    with pytest.raises(BundleError, match=r"golden/00\.png"):
        read_golden(unsealed(tmp_path, MANIFEST))
