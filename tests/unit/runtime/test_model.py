"""A bundle whose tokenizer is damaged is refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgekit.errors import BundleError
from edgekit.runtime import model

_PANICS = {
    "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"},
    "model": {"type": "BPE", "vocab": {}, "merges": []},
}


@pytest.mark.parametrize("content", [b"{", b"\xff", json.dumps(_PANICS).encode()])
def test_a_broken_tokenizer_is_a_broken_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    monkeypatch.setattr(model, "open_bundle", lambda path: SimpleNamespace(file=path.joinpath))
    with pytest.raises(BundleError, match=r"tokenizer\.json") as error:
        model.Model.open(tmp_path, 1)
    assert error.value.hint
