"""The values of tensors, inside a graph and in a file beside it, in pieces of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit.export.lint import values
from edgekit.export.lint.values import nbytes, pieces, place

CODES = ["FLOAT", "FLOAT16", "BFLOAT16", "INT8", "INT64", "INT4", "UINT4"]


def outside(tensor: TensorProto, folder: Path, offset: int, *, cut: int = 0) -> TensorProto:
    """The same tensor with its bytes in ``weights.data``, the last ``cut`` of them missing."""
    raw = tensor.raw_data
    (folder / "weights.data").write_bytes(bytes(offset) + raw[: len(raw) - cut])
    entry = TensorProto(name="w", data_type=tensor.data_type, dims=tensor.dims, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "weights.data"), ("offset", str(offset))):
        entry.external_data.add(key=key, value=value)
    return entry


@pytest.mark.parametrize("code", CODES)
def test_values_beside_a_graph_are_those_inside_it(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "_PIECE", 16)
    dtype = TensorProto.DataType.Value(code)
    numbers = (np.arange(35).reshape(5, 7) % 8).astype(helper.tensor_dtype_to_np_dtype(dtype))
    inside = numpy_helper.from_array(numbers, "w")
    assert nbytes(inside) == len(inside.raw_data)
    read = list(pieces(outside(inside, tmp_path, 24), tmp_path))
    assert len(read) == -(-len(inside.raw_data) // 16)
    whole = np.concatenate(read)
    if "4" in code[-1] and code.endswith("INT4"):
        whole = np.stack([whole & 15, whole >> 4], axis=1).reshape(-1)[:35]
    np.testing.assert_array_equal(whole.astype(np.float64), numbers.reshape(-1).astype(np.float64))
    (held,) = pieces(inside, tmp_path)
    np.testing.assert_array_equal(held.astype(np.float64), numbers.reshape(-1).astype(np.float64))


def test_a_file_that_ends_too_early_is_no_shorter_tensor(tmp_path: Path) -> None:
    tensor = outside(numpy_helper.from_array(np.ones(9, np.float32), "w"), tmp_path, 4, cut=4)
    with pytest.raises(ValueError, match=r"weights\.data ends too early"):
        list(pieces(tensor, tmp_path))


def test_a_tensor_without_a_location_is_told_by_its_name() -> None:
    with pytest.raises(ValueError, match="'w' is external and has no location"):
        place(TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL))


def test_a_length_that_is_not_said_is_the_shape_s() -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT16, dims=[3, 5], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="a/b/weights.data")
    assert place(tensor) == ("weights.data", 0, 30)
    tensor.external_data.add(key="offset", value="64")
    tensor.external_data.add(key="length", value="8")
    assert place(tensor) == ("weights.data", 64, 8)
