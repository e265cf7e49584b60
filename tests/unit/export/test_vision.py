"""What a tower's description changes in its output, by comparing towers of the same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.shapes import vision_shapes
from edgekit.checkpoint.spec import VisionSpec
from edgekit.export.graph import Graph
from edgekit.export.ort import OrtSpelling
from edgekit.export.vision import build_vision
from edgekit.export.write import write_graph
from tests.unit.export.running import session
from tests.unit.quantize.fakes import Stored, normal

CLIP = VisionSpec(
    kind="clip",
    hidden=72,
    layers=2,
    heads=3,
    ff=100,
    image_size=28,
    patch=7,
    activation="quick_gelu",
    norm_eps=1e-5,
    drop_cls=True,
)
SIGLIP = VisionSpec(
    kind="siglip",
    hidden=72,
    layers=2,
    heads=3,
    ff=100,
    image_size=28,
    patch=7,
    activation="gelu_tanh",
    norm_eps=1e-6,
    drop_cls=False,
)
PIXELS = np.random.default_rng(0).standard_normal((2, 3, 28, 28), dtype=np.float32)


def features(vision: VisionSpec, tmp_path: Path) -> Array:
    shapes = dict(vision_shapes(replace(vision, post_norm=True)))
    tensors: dict[str, Weight] = {
        name: Stored(normal(*shape, scale=0.1, seed=seed)) for seed, (name, shape) in enumerate(shapes.items())
    }
    graph = Graph("vision")
    build_vision(OrtSpelling(graph, tensors, np.dtype(np.float32)), vision)
    write_graph(graph, tmp_path / "vision.onnx")
    (result,) = session(tmp_path / "vision.onnx").run(None, {"pixels": PIXELS})
    array: Array = result
    return array


def test_the_class_token_comes_first_where_it_is_kept(tmp_path: Path) -> None:
    kept = features(replace(CLIP, drop_cls=False), tmp_path)
    assert kept.shape == (2, 17, 72)
    np.testing.assert_array_equal(kept[:, 1:], features(CLIP, tmp_path))


@pytest.mark.parametrize("vision", [CLIP, SIGLIP], ids=["clip", "siglip"])
def test_the_final_norm_applies_to_every_token(vision: VisionSpec, tmp_path: Path) -> None:
    seed = len(dict(vision_shapes(vision)))
    weight, bias = (torch.tensor(normal(72, scale=0.1, seed=seed + i).astype(np.float32)) for i in range(2))
    expected = functional.layer_norm(torch.tensor(features(vision, tmp_path)), (72,), weight, bias, vision.norm_eps)
    np.testing.assert_allclose(features(replace(vision, post_norm=True), tmp_path), expected, atol=1e-5)
