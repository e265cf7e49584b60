"""What becomes of a topic: text that a person can read, also where it can't be read."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import EdgeKitError
from edgekit.support import Subject, Topic
from edgekit.support.topic import first_line, part
from edgekit.target import Budget


def text_of(read: Callable[[Subject], Any], subject: Subject) -> str:
    made = part(Topic("x.json", "a word", read), subject)
    assert (made.name, made.what) == ("x.json", "a word")
    return made.text


def raising(error: Exception) -> Callable[[Subject], Any]:
    def read(subject: Subject) -> Any:
        raise error

    return read


def test_text_stays_text_and_the_rest_is_json(subject: Callable[..., Subject]) -> None:
    assert text_of(lambda of: "three\nlines\tof 5 µm\n", subject()) == "three\nlines\tof 5 µm\n"
    document = text_of(lambda of: {"budget": Budget(static_bytes=5), "é": (1, None)}, subject())
    assert json.loads(document) == {"budget": json.loads(document)["budget"], "é": [1, None]}
    assert json.loads(document)["budget"]["static_bytes"] == 5
    assert "é" in document


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EdgeKitError("it broke", "mend it"), {"error": "it broke", "hint": "mend it"}),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), {"error": "It can't be read: Permission denied"}),
        (ValueError("of Mrs. Nobody"), {"error": "It can't be read: ValueError"}),
        (
            ModuleNotFoundError("No module", name="sqlcipher3"),
            {"error": "It can't be read: the library 'sqlcipher3' is missing, or can't be used"},
        ),
    ],
)
def test_what_goes_wrong_is_told_in_its_place(
    error: Exception, said: dict[str, str], subject: Callable[..., Subject]
) -> None:
    assert json.loads(text_of(raising(error), subject())) == said


def test_nothing_steers_a_terminal_and_nothing_fails_to_be_written(subject: Callable[..., Subject]) -> None:
    odd = part(Topic("x.txt", "", lambda of: "a\x1b[31mb\x07\x9bc\udc80\n"), subject())
    assert odd.text.startswith("a�[31mb��c")
    assert odd.content.decode() == "a�[31mb��c\\udc80\n"


@pytest.mark.parametrize(
    ("home", "text", "expected"),
    [
        ("/home/anna", "/home/anna/x and /home/anna, /home/anna2/x", "~/x and ~, /home/anna2/x"),
        ("/root", "/root/x", "/root/x"),
        ("/", "/etc/x", "/etc/x"),
    ],
)
def test_who_runs_it_is_not_told_by_his_home(
    home: str, text: str, expected: str, subject: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path(home))
    assert text_of(lambda of: text, subject()) == expected


def test_a_programs_first_line_is_its_reason() -> None:
    assert first_line("\n  Hint: none of yours. \n more\n") == "Hint: none of yours."
    assert first_line(" \n") == ""
    assert len(first_line("x" * 5000)) <= 200
