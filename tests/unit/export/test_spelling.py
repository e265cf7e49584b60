"""The words that every runtime spells alike, in standard operators, against numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from edgekit.checkpoint.packed import Array
from edgekit.export.graph import Graph
from edgekit.export.ort import OrtSpelling
from edgekit.export.spelling import Spelling
from edgekit.export.trt import TrtSpelling
from edgekit.export.write import write_graph
from tests.unit.export.running import session
from tests.unit.quantize.fakes import Stored, normal

SPELLINGS = pytest.mark.parametrize("spelling", [OrtSpelling, TrtSpelling])
Word = Callable[[Spelling, str], str]


def run(
    folder: Path, spelling: type[Spelling], word: Word, x: Array, tensors: Mapping[str, Array], dtype: str = "float32"
) -> Array:
    graph = Graph("word")
    say = spelling(graph, {name: Stored(array) for name, array in tensors.items()}, np.dtype(dtype))
    say.output(word(say, say.input("x", ["rows", *x.shape[1:]])), "y", [f"d{axis}" for axis in range(3)])
    write_graph(graph, folder / "word.onnx")
    (y,) = session(folder / "word.onnx").run(None, {"x": x.astype(dtype)})
    assert y.dtype == dtype
    result: Array = y
    return result


@SPELLINGS
def test_patches_are_squares_from_the_upper_left_and_the_rest_is_not_seen(
    spelling: type[Spelling], tmp_path: Path
) -> None:
    pixels, weight, bias = normal(2, 3, 7, 7), normal(5, 3, 3, 3, seed=1), normal(5, seed=2)
    y = run(tmp_path, spelling, lambda say, x: say.patches(x, "p", 5, 3), pixels, {"p.weight": weight, "p.bias": bias})
    squares = [pixels[:, :, top : top + 3, left : left + 3] for top in (0, 3) for left in (0, 3)]
    expected = np.stack([np.einsum("nchw,ochw->no", square, weight) + bias for square in squares], axis=1)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


@SPELLINGS
def test_a_learned_vector_stands_first_in_every_image_and_can_be_dropped(
    spelling: type[Spelling], tmp_path: Path
) -> None:
    x, token = normal(3, 4, 8), normal(8, seed=1)
    (tmp_path / "dropped").mkdir()
    y = run(tmp_path, spelling, lambda say, x: say.prepend(x, "cls", 8), x, {"cls": token})
    np.testing.assert_array_equal(y, np.concatenate([np.broadcast_to(token, (3, 1, 8)), x], axis=1))
    dropped = run(
        tmp_path / "dropped", spelling, lambda say, x: say.drop_first(say.prepend(x, "cls", 8), "d"), x, {"cls": token}
    )
    np.testing.assert_array_equal(dropped, x)


@SPELLINGS
def test_a_gate_acts_on_the_first_columns(spelling: type[Spelling], tmp_path: Path) -> None:
    x = normal(2, 3, 12)
    y = run(tmp_path, spelling, lambda say, x: say.gate(x, "silu", 6, "g"), x, {})
    gate, up = x[..., :6], x[..., 6:]
    np.testing.assert_allclose(y, gate / (1 + np.exp(-gate)) * up, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float16", 2e-3)])
def test_rms_norm_sums_in_float32_whatever_it_computes_in(dtype: str, tolerance: float, tmp_path: Path) -> None:
    x, weight = 100 * normal(2, 3, 512), normal(512, seed=1)  # squares of float16 would overflow
    y = run(
        tmp_path, TrtSpelling, lambda say, x: say.rms_norm(x, say.parameter("w"), "n", 1e-5), x, {"w": weight}, dtype
    )
    narrow = x.astype(dtype).astype(np.float64)
    expected = narrow / np.sqrt((narrow**2).mean(-1, keepdims=True) + 1e-5) * weight
    np.testing.assert_allclose(y.astype(np.float64), expected, rtol=tolerance, atol=tolerance)


def test_a_bias_is_declared_where_a_part_has_one() -> None:
    graph = Graph("word")
    say = OrtSpelling(graph, {"a.bias": Stored(normal(4))}, np.dtype(np.float32))
    assert say.bias("a", ["a"]) == "a.bias"
    assert say.bias("b", ["b"]) == ""
    assert set(graph.weights) == {"a.bias"}


def test_the_same_integers_are_one_constant() -> None:
    graph = Graph("word")
    say = OrtSpelling(graph, {}, np.dtype(np.float32))
    say.drop_first(say.drop_first("x", "one"), "two")
    assert sorted(graph.constants) == ["int64.1", f"int64.{np.iinfo(np.int64).max}"]
