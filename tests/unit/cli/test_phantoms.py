"""``edgekit phantoms``: how many pictures and questions lie in the new folder, as it says itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.units import format_bytes
from tests.rendered import rows


def test_the_folder_is_told_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--count", "2", "--form", "vqa-rad", "--split", "validation"]
    for name, flags in (("a", []), ("b", ["--json"])):
        assert main(["phantoms", str(tmp_path / name), *options, *flags]) == 0
    out = capsys.readouterr().out
    size = sum(file.stat().st_size for file in (tmp_path / "a").rglob("*") if file.is_file())
    (questions,) = (json.loads(file.read_text()) for file in (tmp_path / "a").rglob("*.json"))
    people, _, script = out.partition("{")
    assert rows(people) == [
        ["folder", str(tmp_path / "a")],
        ["phantoms", "2 of validation"],
        ["questions", str(len(questions))],
        ["size", format_bytes(size)],
    ]
    document = json.loads("{" + script)
    assert (document["phantoms"], document["questions"], document["bytes"]) == (2, len(questions), size)


@pytest.mark.parametrize("arguments", [["--count", "0"], ["--form", "slake"], ["--split", "exam"]])
def test_what_is_not_there_to_choose_is_wrong_usage(arguments: list[str], tmp_path: Path) -> None:
    assert main(["phantoms", str(tmp_path / "a"), *arguments]) == 2
    assert not list(tmp_path.iterdir())
