"""Records on the disk: what is written is read again, and another format is refused by its number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from edgekit.config import load_json, require_format
from edgekit.config.writing import write_json
from edgekit.errors import ConfigError, EdgeKitError


@dataclass(frozen=True)
class Record:
    format: int
    words: tuple[str, ...]


RECORD = Record(2, ("é", "b"))


@pytest.mark.parametrize(("form", "lines"), [("sealed", 8), ("lines", 7), ("compact", 1)])
def test_what_is_written_is_read_again(form: Literal["sealed", "lines", "compact"], lines: int, tmp_path: Path) -> None:
    write_json(tmp_path / "record.json", RECORD, form)
    assert load_json(tmp_path / "record.json", Record, 2) == RECORD
    text = (tmp_path / "record.json").read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert text.count("\n") == lines
    assert ("seal" in json.loads(text)) == (form == "sealed")


def test_another_format_is_refused_before_its_keys_are(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text('{"format": 3, "sentences": []}')
    with pytest.raises(ConfigError, match=r"record\.json has format 3; this EdgeKit reads format 2") as refused:
        load_json(tmp_path / "record.json", Record, 2, "Make it again.")
    assert refused.value.hint == "Make it again."


@pytest.mark.parametrize("document", [None, [], "2", {}, {"format": None}, {"format": "2"}, {"format": "9" * 5000}])
def test_what_states_no_format_is_refused_in_a_short_line(document: object) -> None:
    with pytest.raises(ConfigError, match="has format") as refused:
        require_format(document, 2, "a.json", "")
    assert len(refused.value.message) < 200


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match=r"none/record\.json can't be written"):
        write_json(tmp_path / "none" / "record.json", RECORD)
