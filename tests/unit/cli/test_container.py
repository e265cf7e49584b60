"""`edgekit container` writes a folder, and asks for what nobody may guess: which image it builds on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.deploy.container.families import families
from tests.installed import write_wheel
from tests.releases import small_bundle

BASE = f"ward/base:1@sha256:{'ab' * 32}"


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    bundle = small_bundle(tmp_path / "bundle", {"tokenizer.json": b"{}"})
    for name in ("edgekit", "pip"):
        write_wheel(tmp_path / "wheels", name, "9", {f"{name}/__init__.py": b""})
    return ["container", str(bundle.path), "--out", str(tmp_path / "out"), "--wheels", str(tmp_path / "wheels")]


def test_it_writes_and_says_what_comes_next(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*words, "--target", "cpu", "--base", BASE]) == 0
    out, err = capsys.readouterr()
    assert "an image of the family cpu for cpu (2 wheels" in out
    assert "docker compose up" in out
    assert "UNPINNED" not in err
    assert (tmp_path / "out" / "Dockerfile").is_file()


def test_its_document_is_what_was_written(words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([*words, "--base", BASE, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["folder"] == str(tmp_path / "out")
    assert document["base"] == BASE


def test_a_base_has_to_be_named_and_the_family_s_is_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert families()["cpu"].base in capsys.readouterr().err


def test_a_base_without_a_digest_is_loud_or_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--base", "ward/base:1"]) == 1
    assert "has no digest" in capsys.readouterr().err
    assert main([*words, "--base", "ward/base:1", "--unpinned"]) == 0
    assert "UNPINNED: ward/base:1" in capsys.readouterr().err


def test_what_is_no_bundle_and_no_target_is_told(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*words, "--base", BASE, "--target", "orim"]) == 1
    assert "orin" in capsys.readouterr().err
    assert main(["container", str(tmp_path), "--out", str(tmp_path / "out"), "--base", BASE]) == 1
    assert "is not a bundle" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
