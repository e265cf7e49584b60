"""What a plan knows of a model: tensors counted by kind, of a checkpoint, a packed one, and a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.bundle import Bundle
from edgekit.bundle.hashes import FileEntry
from edgekit.checkpoint.shapes import Shape, cache_scales, tensor_shapes
from edgekit.errors import CheckpointError, ConfigError
from edgekit.plan.subject import TensorKind, count_tensors, subject_of, untied
from edgekit.quantize import quantize
from edgekit.recipe import recipe
from tests.unit.check.case import MANIFEST
from tests.unit.quantize.fakes import BFLOAT16, SPEC, Stored, checkpoint, normal

TENSORS = {name: Stored(normal(*shape)) for name, shape in tensor_shapes(SPEC).items()}
SOURCE = checkpoint(**TENSORS)
UP = (200, 96)


def test_tensors_are_counted_by_part_shape_and_a_decoder_s_layer() -> None:
    shapes: dict[str, Shape] = {
        f"decoder.layers.{layer}.mlp.{name}.weight": UP for layer in range(3) for name in ("gate", "up")
    }
    shapes |= {"vision.layers.0.mlp.up.weight": UP, "vision.layers.1.mlp.up.weight": UP, "decoder.norm.weight": (96,)}
    assert count_tensors(shapes) == {
        **{TensorKind("decoder", True, UP, layer): 2 for layer in range(3)},
        TensorKind("vision", True, UP): 2,  # a recipe has one precision for a whole tower
        TensorKind("decoder", False, (96,)): 1,
    }


def test_a_tied_embedding_is_marked_until_an_engine_has_its_own() -> None:
    counted = count_tensors({"decoder.embedding.weight": (320, 96), "decoder.lm_head.weight": (320, 96)}, tied=True)
    assert {kind.part: kind.tied for kind in counted} == {"embedding": True, "lm_head": False}
    assert {kind.part: kind.tied for kind in untied(counted)} == {"embedding": False, "lm_head": False}
    assert sum(untied(counted).values()) == sum(counted.values())


def test_of_a_checkpoint() -> None:
    subject = subject_of(SOURCE, recipe("q4"))
    assert (subject.name, subject.by_recipe, subject.by_context) == ("test", True, True)
    assert sum(subject.tensors.values()) == len(TENSORS)
    assert subject.tokenizer_bytes == len('{"model": "ümlaut"}') + 1, "bytes, not letters"
    assert subject.stored_bytes == 2


@pytest.mark.parametrize(("dtype", "size"), [(np.dtype(np.float32), 4), (BFLOAT16, 2)])
def test_the_widest_float_counts(dtype: np.dtype[np.generic], size: int) -> None:
    name = "decoder.norm.weight"
    mixed = replace(SOURCE, tensors={**TENSORS, name: Stored(normal(96, dtype=dtype))})
    assert subject_of(mixed, recipe("q4")).stored_bytes == size


def test_packed_weights_have_their_recipe_and_their_scales_are_no_tensors() -> None:
    packed = replace(SOURCE, tensors=quantize(SOURCE, recipe("q8")).tensors)
    scales = {name: Stored(np.ones(shape, np.float32)) for name, shape in cache_scales(SPEC.decoder).items()}
    subject = subject_of(replace(packed, tensors={**packed.tensors, **scales}), recipe("q8"))
    assert (subject.by_recipe, subject.by_context) == (False, True)
    assert subject.tensors == subject_of(SOURCE, recipe("q8")).tensors
    with pytest.raises(CheckpointError, match="quantized already"):
        subject_of(packed, recipe("q4"))


def test_of_a_bundle_and_its_largest_compiled_form(tmp_path: Path) -> None:
    files = {"tokenizer.json": FileEntry(70, ""), "graphs/decoder.onnx": FileEntry(900, "")}
    for name, size in (("engines/a/x/deep", 30), ("engines/a/y", 20), ("engines/b/x", 40), ("engines/loose", 99)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    subject = subject_of(Bundle(tmp_path, replace(MANIFEST, spec=SPEC, files=files), ""), recipe("q4"))
    assert (subject.sealed_bytes, subject.compiled_bytes, subject.tokenizer_bytes) == (970, 50, 70)
    assert (subject.by_recipe, subject.by_context, subject.checkpoint_bytes) == (False, False, 0)
    assert subject.tensors == subject_of(SOURCE, recipe("q4")).tensors


def test_an_embedding_of_4_bits_is_refused() -> None:
    with pytest.raises(ConfigError, match="embedding = int4"):
        subject_of(SOURCE, replace(recipe("q4"), embedding="int4"))
