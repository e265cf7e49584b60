"""The loss of an int8 cache: the decoder over floats is the one that is exported so, and divergences are by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from edgekit.bundle import Bundle, unsealed
from edgekit.check import cache
from edgekit.check.cache import _PLAIN, cache_loss
from edgekit.check.measure import UNUSABLE
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.shapes import cache_scales, tensor_shapes
from edgekit.engines.base import Logits
from edgekit.engines.onnxruntime.engine import DECODER
from edgekit.errors import EngineError
from edgekit.export import export
from tests.unit.check.case import MANIFEST
from tests.unit.quantize.fakes import SPEC, Stored, checkpoint, normal

PLAIN = {name: Stored(normal(*shape)) for name, shape in tensor_shapes(SPEC).items()}
SCALES = {name: Stored(np.full(shape, 0.01, np.float32)) for name, shape in cache_scales(SPEC.decoder).items()}


def decoder(folder: Path, source: Checkpoint) -> Path:
    export(source, "float32", 64, folder)
    return folder / "graphs" / DECODER


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    decoder(tmp_path, checkpoint(**PLAIN, **SCALES))
    return unsealed(tmp_path, replace(MANIFEST, recipe=replace(MANIFEST.recipe, kv="int8")))


def graph(path: Path) -> Any:
    return onnx.load(str(path), load_external_data=False).graph


def spelled(node: Any) -> object:
    """A node without the empty inputs at its end, which are as good as none."""
    while node.input and not node.input[-1]:
        node.input.pop()
    return node.SerializeToString(deterministic=True)


def types(values: Any) -> dict[str, int]:
    return {value.name: value.type.tensor_type.elem_type for value in values}


def test_over_floats_it_is_the_decoder_that_is_exported_without_scales(bundle: Bundle, tmp_path: Path) -> None:
    coded = bundle.path / "graphs" / DECODER
    cache._write_plain(coded, tmp_path / "plain.onnx")
    plain, exported = graph(tmp_path / "plain.onnx"), graph(decoder(tmp_path / "floats", checkpoint(**PLAIN)))
    assert [spelled(node) for node in plain.node] == [spelled(node) for node in exported.node]
    assert types(plain.input) == types(exported.input) != types(graph(coded).input)
    assert types(plain.output) == types(exported.output)
    assert {tensor.name for tensor in plain.initializer} == {tensor.name for tensor in exported.initializer}


def reading(monkeypatch: pytest.MonkeyPatch, codes: list[list[float]], floats: list[list[float]]) -> None:
    """Logits in the place of those that the two decoders would give."""

    def read(bundle: Bundle, name: str, progress: object) -> Logits:
        assert bundle.manifest.recipe.kv == ("activations" if name == _PLAIN else "int8")
        assert (bundle.path / "graphs" / name).exists()
        return np.array(floats if name == _PLAIN else codes, np.float32)

    monkeypatch.setattr(cache, "_read", read)


def test_it_is_the_divergence_from_the_decoder_over_floats(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of (3/4, 1/4) from (1/4, 3/4): log 3 / 2 nats; and nothing where both are alike."""
    sure, other = [float(np.log(3)), 0.0], [0.0, float(np.log(3))]
    reading(monkeypatch, codes=[other, sure], floats=[sure, sure])
    loss = cache_loss(bundle)
    assert (loss.positions, loss.same) == (2, 1)
    assert loss.worst_kl == pytest.approx(np.log(3) / 2)
    assert loss.kl == pytest.approx(np.log(3) / 4)


def test_logits_that_are_no_numbers_are_far_away(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    reading(monkeypatch, codes=[[float("nan"), 0.0]], floats=[[1.0, 0.0]])
    assert cache_loss(bundle).kl == UNUSABLE


def test_nothing_of_it_stays_in_the_bundle(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(bundle.path.rglob("*"))

    def fail(bundle: Bundle, name: str, progress: object) -> Logits:
        if name == _PLAIN:
            raise EngineError("no room for an arena of floats")
        return np.zeros((1, 2), np.float32)

    monkeypatch.setattr(cache, "_read", fail)
    with pytest.raises(EngineError, match="no room"):
        cache_loss(bundle)
    assert sorted(bundle.path.rglob("*")) == before
