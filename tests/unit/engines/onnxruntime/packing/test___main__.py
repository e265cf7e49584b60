"""The process that compiles, before it begins."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from edgekit.engines.onnxruntime.packing.__main__ import compile_graphs
from edgekit.errors import EdgeKitError


def test_a_full_disk_is_told_before_the_runtime_fills_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graphs, folder = tmp_path / "bundle" / "graphs", tmp_path / "form"
    graphs.mkdir(parents=True)
    folder.mkdir()
    (graphs / "decoder.onnx.data").write_bytes(bytes(900))
    (graphs / "decoder.onnx").write_bytes(bytes(100))
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=999))
    with pytest.raises(EdgeKitError, match="needs 1000 B, but its disk has 999 B free") as full:
        compile_graphs(graphs.parent, folder, lambda done, total: None)
    assert "Make room" in full.value.hint
