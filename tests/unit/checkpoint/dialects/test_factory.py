"""TinyLLaVA Factory's configs: which they are, what they take for granted, and what only another folder says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from tests.checkpoints import Layout, write_checkpoint


@pytest.mark.parametrize(("layout", "family"), [("factory", "tinyllava-factory"), ("tinyllava", "tinyllava")])
def test_of_one_model_type_it_is_the_one_that_names_its_connector(layout: Layout, family: str, tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, layout, "llama", "siglip").path
    assert json.loads((path / "config.json").read_text())["model_type"] == "tinyllava"
    assert open_checkpoint(path).spec.family == family


@pytest.mark.parametrize(("strategy", "rows"), [("patch", 16), ("cls_patch", 17), (None, 16)])
def test_patch_leaves_the_class_token_out(strategy: str | None, rows: int, tmp_path: Path) -> None:
    config = {"vision_feature_select_strategy": strategy}
    path = write_checkpoint(tmp_path, "factory", "llama", "clip", config=config).path
    assert open_checkpoint(path).spec.tokens_per_image == rows


def test_of_siglip_patch_leaves_a_patch_out(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, "factory", "llama", "siglip").path
    assert open_checkpoint(path).spec.tokens_per_image == 15


def test_another_strategy_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, "factory", config={"vision_feature_select_strategy": "default"}).path
    with pytest.raises(CheckpointError, match='"patch" or "cls_patch"'):
        open_checkpoint(path)


def test_a_language_model_that_does_not_say_its_kind_is_llama(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, "factory", "llama").path
    config = json.loads((path / "config.json").read_text())
    del config["text_config"]["model_type"]
    (path / "config.json").write_text(json.dumps(config))
    assert open_checkpoint(path).spec.decoder.kind == "llama"


def test_the_factorys_language_model_is_not_guessed_from_its_name(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "factory", config={"text_config": None, "llm_model_name_or_path": "microsoft/phi-2"})
    with pytest.raises(CheckpointError, match=r"'text_config' .* the config of microsoft/phi-2"):
        open_checkpoint(tmp_path)
