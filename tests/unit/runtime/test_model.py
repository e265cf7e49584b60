"""A bundle whose tokenizer is damaged is refused in words; what all prompts of a model begin with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgekit.errors import BundleError
from edgekit.inputs.prompt import Turn, build
from edgekit.runtime import model
from tests.fake_engine import byte_tokenizer, fake_spec, image_piece

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


def test_the_public_keys_are_the_templates_own() -> None:
    spec = fake_spec()
    spec = replace(spec, template=replace(spec.template, system="Be kind. ", user="USER: {}"))
    keys = model.public_keys(spec, byte_tokenizer())
    assert bytes(keys) == b"Be kind. USER: "
    for images in ((), (image_piece(3).picture,)):
        prompt = build(spec, byte_tokenizer(), [Turn("Is it broken?", images=images)])
        assert prompt.keys[: len(keys)] == keys
