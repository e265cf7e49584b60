"""A checkpoint's folder as dialects ask about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source, printable
from tests.unit.quantize.fakes import Stored, normal


def source(folder: Path, *tensors: str, **config: Any) -> Source:
    return Source(folder, Fields(config, "config.json"), {name: Stored(normal(1, 1)) for name in tensors})


def test_names_are_the_folder_s_and_the_config_s(tmp_path: Path) -> None:
    folder = tmp_path / "LLaVA-Med"
    assert [*source(folder).names()] == ["llava-med"]
    said = source(folder, _name_or_path="Microsoft/X", llm_model_name_or_path=["no text"])
    assert [*said.names()] == ["llava-med", "microsoft/x"]


def test_the_first_prefix_that_holds_the_tensor_counts(tmp_path: Path) -> None:
    both = source(tmp_path, "model.norm.weight", "norm.weight")
    assert both.prefix(("language.", "model.", ""), "norm.weight") == "model."
    assert both.prefix(("", "model."), "norm.weight") == ""
    assert both.prefix(("language.",), "norm.weight") is None


def test_files_that_are_not_there_are_empty(tmp_path: Path) -> None:
    (tmp_path / "here.txt").write_text("text")
    (tmp_path / "here.json").write_text('{"a": 1}')
    own = source(tmp_path)
    assert (own.text("here.txt"), own.text("none.txt")) == ("text", "")
    assert (own.table("here.json").values, own.table("none.json").values) == ({"a": 1}, {})
    assert own.files() == {"here.txt", "here.json"}


def test_a_model_type_is_a_text_or_none(tmp_path: Path) -> None:
    assert source(tmp_path, model_type="llava").model_type == "llava"
    assert source(tmp_path, model_type=3).model_type == source(tmp_path).model_type == ""


def test_halves_of_surrogate_pairs_can_be_printed() -> None:
    assert printable("a\ud83eß") == "a?ß"
