"""A token is shown with what it is good for, and never its hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.cli.show.token import list_tokens, show_added, show_left
from edgekit.console import Console
from edgekit.serve.tokens import AddedToken, ListedTokens, Token

Capture = pytest.CaptureFixture[str]
FILE = Path("tokens.toml")
WARD = Token("ward-7", "0" * 64, False, "2026-11-30")
NIGHT = Token("night", "f" * 64, True, "2026-12-01")


def test_who_waits_is_told_from_who_does_not(capsys: Capture) -> None:
    list_tokens(Console(), ListedTokens(FILE, (WARD, NIGHT)))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["ward-7", "in", "turn", "2026-11-30"],
        ["night", "can", "wait", "2026-12-01"],
    ]


@pytest.mark.parametrize(("batch", "words"), [(True, "waits behind others'"), (False, "in turn")])
def test_a_secret_stands_alone_on_its_line(batch: bool, words: str, capsys: Capture) -> None:
    show_added(Console(), AddedToken("ward-7", batch, "ek-secret", FILE))
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "ek-secret"
    assert words in rest[0]


def test_the_last_that_goes_is_told(capsys: Capture) -> None:
    show_left(Console(), "ward-7", ListedTokens(FILE, (NIGHT,)))
    captured = capsys.readouterr()
    assert "1 left" in captured.out
    assert not captured.err
    show_left(Console(), "night", ListedTokens(FILE, ()))
    assert "no tokens any more" in capsys.readouterr().err
