"""Dead scales in a graph's data file and in an embedding table, and what can't be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from safetensors.numpy import save_file

from edgekit.check.scales import dead_rows, dead_scales
from edgekit.errors import BundleError


def write_graph(folder: Path, name: str = "g", **scales: list[float]) -> Path:
    """A graph whose initializers lie in a file beside it, each layer's scales under the name that a bundle gives."""
    tensors = [
        numpy_helper.from_array(np.array(values, np.float16), f"{layer}.weight.scales")
        for layer, values in scales.items()
    ]
    tensors.append(numpy_helper.from_array(np.zeros(4, np.float16), "norm.bias"))  # zeros that are no scales
    model = helper.make_model(helper.make_graph([], "graph", [], [], tensors))
    path = folder / f"{name}.onnx"
    path.with_name(f"{name}.onnx.data").unlink(missing_ok=True)
    onnx.save(model, str(path), save_as_external_data=True, location=f"{name}.onnx.data", size_threshold=0)
    return path


@pytest.mark.parametrize("dead", [0.0, float("nan"), float("inf"), -0.5])
def test_a_layer_with_a_dead_scale_is_named(dead: float, tmp_path: Path) -> None:
    graph = write_graph(tmp_path, up=[0.1, 0.2, 0.3], down=[0.1, dead, 0.3], gate=[6e-8, 6e4])
    assert dead_scales(graph) == ["down"]


def test_a_graph_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"none\.onnx can't be read"):
        dead_scales(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no graph")
    with pytest.raises(BundleError, match=r"text\.onnx is no graph"):
        dead_scales(tmp_path / "text.onnx")
    graph = write_graph(tmp_path, up=[0.1])
    (tmp_path / "g.onnx.data").unlink()
    with pytest.raises(BundleError, match=r"g\.onnx can't be read"):
        dead_scales(graph)


def test_rows_of_an_embedding_are_told_by_their_tokens(tmp_path: Path) -> None:
    scales = np.array([[0.1], [0.0], [0.2], [np.nan], [0.3]], np.float16)
    save_file({"codes": np.zeros((5, 4), np.int8), "scales": scales}, tmp_path / "int8.safetensors")
    assert dead_rows(tmp_path / "int8.safetensors") == [1, 3]
    save_file({"weight": np.zeros((5, 4), np.float16)}, tmp_path / "fp16.safetensors")
    assert dead_rows(tmp_path / "fp16.safetensors") == [], "which has no scales"
