"""Weights counted in graphs' files, by hand: half precision in the activations' width, a tied head's codes twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from safetensors.numpy import save_file

from edgekit.bundle import Bundle, unsealed
from edgekit.errors import BundleError
from edgekit.profile.weights import counted_weights
from edgekit.target import target
from tests.unit.check.case import MANIFEST

HIDDEN = MANIFEST.spec.decoder.hidden


def write_graph(path: Path, **tensors: np.ndarray) -> None:
    """A graph of tensors in a file beside it; "__" in a name stands for "."."""
    path.parent.mkdir(exist_ok=True)
    named = [numpy_helper.from_array(array, name.replace("__", ".")) for name, array in tensors.items()]
    model = helper.make_model(helper.make_graph([], "graph", [], [], named))
    onnx.save(model, str(path), save_as_external_data=True, location=f"{path.name}.data", size_threshold=100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_graph(tmp_path / "graphs" / "vision.onnx", vision__patches=np.zeros((10, 100), np.float16))
    write_graph(
        tmp_path / "graphs" / "decoder.onnx",
        decoder__layers__0__attn__q__weight=np.zeros((8, 64), np.uint8),
        decoder__layers__0__attn__q__weight__scales=np.zeros((8, 64), np.float32),
        decoder__lm_head__weight=np.zeros((5, 100), np.int8),
        shape=np.zeros(2, np.int64),  # in the graph itself, which is no weight
    )
    save_file({"weight": np.zeros((5, HIDDEN), np.float16)}, tmp_path / "embedding.safetensors")
    return tmp_path


def opened(folder: Path, name: str) -> Bundle:
    return unsealed(folder, replace(MANIFEST, target=target(name)))


@pytest.mark.parametrize(("name", "width"), [("cpu", 4), ("rtx3050", 2)])
def test_half_precision_is_as_wide_as_the_activations_and_the_rest_as_it_lies_there(
    name: str, width: int, folder: Path
) -> None:
    assert counted_weights(opened(folder, name)) == {
        "vision": 1000 * width,
        "decoder": 8 * 64 + 8 * 64 * 4,
        "lm_head": 500,
        "embedding": 5 * HIDDEN * 2,
    }


def test_a_tied_head_s_codes_are_the_embedding_s_too(folder: Path) -> None:
    tied: dict[str, np.ndarray] = {"codes_at": np.zeros(3, np.int64), "scales": np.zeros((5, 1), np.float16)}
    save_file(tied, folder / "embedding.safetensors")
    assert counted_weights(opened(folder, "cpu"))["embedding"] == 5 * 2 + 5 * HIDDEN


def test_what_is_no_graph_is_one_clear_error(folder: Path) -> None:
    (folder / "graphs" / "decoder.onnx").write_text("no graph")
    with pytest.raises(BundleError, match=r"decoder\.onnx is no ONNX graph"):
        counted_weights(opened(folder, "cpu"))
