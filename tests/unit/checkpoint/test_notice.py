"""Licences and notices are found where people put them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.notice import LLAVA_MED, intended_use, licence
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.source import Source
from tests.checkpoints import write_checkpoint


def source(folder: Path, config: dict[str, Any] | None = None, **files: str) -> Source:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return Source(folder, Fields(config or {}, "config.json"), {})


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("---\nlicense: apache-2.0\n---\n# Model", "apache-2.0"),
        ("---\ntags:\n- x\nlicense: 'mit'  # a remark\n---\n", "mit"),
        ('---\r\nlicense: "llama2"\r\n---\r\n', "llama2"),
        ("---\nlicense: other\nlicense_name: msr-license\n---\n", "msr-license"),
        ("---\nlicense: other\n---\n", "other"),
        ("# Model\nlicense: apache-2.0", ""),
        ("---\nlanguage: en\n---\nlicense: mit\n", ""),
        ("", ""),
    ],
)
def test_the_model_card_says_the_licence(tmp_path: Path, card: str, expected: str) -> None:
    (tmp_path / "README.md").write_text(card, newline="")
    assert licence(source(tmp_path)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Apache License\nVersion 2.0", "apache-2.0"), ("MIT License", "mit"), ("Ask us.", "see LICENSE"), ("", "")],
)
def test_a_licence_file_is_known_by_its_title(tmp_path: Path, text: str, expected: str) -> None:
    assert licence(source(tmp_path, LICENSE=text)) == expected


def test_the_card_goes_before_the_config_and_the_config_before_the_file(tmp_path: Path) -> None:
    config = {"license": "from-config"}
    assert licence(source(tmp_path, config, LICENSE="MIT License")) == "from-config"
    assert licence(source(tmp_path, config, README__md="---\nlicense: from-card\n---\n")) == "from-card"


def test_a_card_that_is_no_text_is_no_reason_to_refuse(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"\xff\xfe---\nlicense: mit\n---")
    assert licence(source(tmp_path)) == ""


def test_half_a_surrogate_pair_is_no_reason_to_fail_later(tmp_path: Path) -> None:
    assert licence(source(tmp_path, {"license": "mine\ud800"})) == "mine?"


@pytest.mark.parametrize(
    "written",
    [
        "Not for patients.",
        "'Not for patients.'",
        '"Not for patients."\r',
        "Not\n  for patients.",
        "|\n  Not for\n  patients.",
        ">-\r\n  Not for patients.\r",
    ],
)
def test_the_model_card_says_the_intended_use(tmp_path: Path, written: str) -> None:
    card = f"---\nlicense: mit\nintended_use: {written}\ntags: x\n---\n# Model\nintended_use: anything"
    (tmp_path / "README.md").write_text(card, newline="")
    assert intended_use(source(tmp_path)) == "Not for patients."


@pytest.mark.parametrize("written", ["", "|"])
def test_an_intended_use_that_is_empty_is_none(tmp_path: Path, written: str) -> None:
    (tmp_path / "README.md").write_text(f"---\nintended_use: {written}\nlicense: mit\n---\n")
    assert intended_use(source(tmp_path)) == ""


@pytest.mark.parametrize(
    ("name", "config", "card"),
    [
        ("llava-med-v1.5-mistral-7b", {}, ""),
        ("checkpoint", {"_name_or_path": "microsoft/LLaVA-Med-7b-delta"}, ""),
        ("checkpoint", {"segtok_posembed": "sincos"}, ""),
        ("checkpoint", {}, "Fine-tuned from LLaVA-Med on our radiographs."),
    ],
)
def test_llava_med_shows_its_notice(tmp_path: Path, name: str, config: dict[str, Any], card: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert intended_use(source(folder, config, README__md=card)) == LLAVA_MED


def test_other_models_have_none(tmp_path: Path) -> None:
    assert intended_use(source(tmp_path, {"_name_or_path": "lmsys/vicuna-7b"}, README__md="# LLaVA")) == ""


def test_both_stand_in_the_description(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "my-llava-med", "llava", "mistral")
    (tmp_path / "my-llava-med" / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    spec = open_checkpoint(tmp_path / "my-llava-med").spec
    assert (spec.family, spec.licence, spec.intended_use) == ("llava-med", "apache-2.0", LLAVA_MED)
