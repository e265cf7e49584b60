"""Ranges of files, as graphs name them, and the file that they are gathered in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper
from onnx.external_data_helper import load_external_data_for_tensor

from edgekit.engines.onnxruntime.packing.spans import DataFile, Span, inline, name_beside, point, span_of
from edgekit.errors import EngineError

BYTES = bytes(range(256)) * 40


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source.data").write_bytes(BYTES)
    return tmp_path / "source.data"


def test_spans_begin_at_pages_in_the_order_in_which_they_come(source: Path, tmp_path: Path) -> None:
    spans = [Span(source, 3, 10), Span(source, 0, 5000), Span(source, 100, 1)]
    with DataFile(tmp_path / "packed.data") as data:
        placed = [data.append(span) for span in spans]
        assert data.tell() == 12289
    assert [(span.file, span.offset) for span in placed] == [
        (tmp_path / "packed.data", page * 4096) for page in (0, 1, 3)
    ]
    for before, after in zip(spans, placed, strict=True):
        assert after.read() == before.read() == BYTES[before.offset : before.offset + before.length]


def test_what_was_taken_back_leaves_no_trace(source: Path, tmp_path: Path) -> None:
    with DataFile(tmp_path / "packed.data") as data:
        data.append(Span(source, 0, 10))
        size = data.tell()
        data.append(Span(source, 0, 9000))
        data.truncate(size)
        assert data.tell() == 10
        assert data.append(Span(source, 7, 3)).offset == 4096
    assert (tmp_path / "packed.data").read_bytes() == BYTES[:10] + bytes(4086) + BYTES[7:10]


def test_a_file_that_ends_before_its_span_is_one_error(source: Path, tmp_path: Path) -> None:
    with DataFile(tmp_path / "packed.data") as data, pytest.raises(EngineError, match=r"source\.data ends before"):
        data.append(Span(source, len(BYTES) - 5, 6))


def test_a_tensor_that_was_pointed_is_read_by_onnx_and_comes_back_inside(source: Path) -> None:
    tensor = numpy_helper.from_array(np.zeros((2, 3), np.int16), "w")
    assert span_of(tensor) is None
    assert inline(tensor) == tensor
    point(tensor, str(source), Span(source, 4, 12))
    point(tensor, str(source), Span(source, 8, 12))  # anew, in place of the first
    assert span_of(tensor) == Span(source, 8, 12)
    expected = np.frombuffer(BYTES[8:20], np.int16).reshape(2, 3)
    np.testing.assert_array_equal(numpy_helper.to_array(inline(tensor)), expected)
    assert not tensor.raw_data
    name_beside(tensor)
    assert span_of(tensor, source.parent) == Span(source, 8, 12)
    load_external_data_for_tensor(tensor, str(source.parent))
    np.testing.assert_array_equal(numpy_helper.to_array(tensor), expected)


def test_a_span_without_an_offset_begins_with_its_file(source: Path) -> None:
    tensor = TensorProto(name="w", data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="source.data")
    tensor.external_data.add(key="length", value="7")
    span = span_of(tensor, source.parent)
    assert span is not None
    assert span.read() == BYTES[:7]
