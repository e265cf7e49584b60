"""The packed form of one matrix: by its bytes alone, and None where there is no such form."""

from __future__ import annotations

from pathlib import Path

from onnx import NodeProto

from edgekit.engines.onnxruntime.packing.graph import PackableGraph
from edgekit.engines.onnxruntime.packing.optimize import optimize
from edgekit.engines.onnxruntime.packing.pack import Packed, pack, saving
from edgekit.engines.onnxruntime.packing.spans import Span, span_of
from edgekit.onnx_session import options
from tests.unit.engines.onnxruntime.packing.case import nbits, needs_packing, save


def span(graph: PackableGraph, node: NodeProto) -> Span:
    lies = span_of(graph.matrix(node))
    assert lies
    return lies


@needs_packing
def test_the_packed_bytes_are_of_the_span_that_is_given_and_no_other(tmp_path: Path) -> None:
    graph = optimize(save(tmp_path, [nbits("a", 64, 256), nbits("b", 64, 256)], 256), tmp_path)
    first, second = graph.packing()
    mine, other = span(graph, first), span(graph, second)
    (tmp_path / "copy.data").write_bytes(bytes(4096) + mine.read())
    forms = {}
    for name, lies in {"mine": mine, "copy": Span(tmp_path / "copy.data", 4096, mine.length), "other": other}.items():
        form = pack(graph, first, lies, tmp_path)
        assert form
        forms[name] = form.key, b"".join(blob.read() for blob in form.blobs)
    assert forms["mine"] == forms["copy"]
    assert forms["mine"][0] != forms["other"][0]
    assert forms["mine"][1] != forms["other"][1]
    assert len(forms["mine"][1]) >= mine.length


def test_an_entry_is_the_key_and_where_each_blob_lies() -> None:
    packed = Packed("key", (Span(Path("p.data"), 0, 64), Span(Path("p.data"), 4096, 7)))
    assert packed.entry == "key|0;64;0|4096;7;0"


def test_what_was_saved_before_is_not_taken_for_what_is_saved_now(tmp_path: Path) -> None:
    target = tmp_path / "packed.onnx"
    for file in (target, target.with_suffix(".data")):
        file.write_bytes(b"of the last one")
    saving(options(), target)
    assert list(tmp_path.iterdir()) == []
