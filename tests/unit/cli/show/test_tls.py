"""What a person needs of an authority is shown; nothing that was not made is said to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.cli.show.tls import show_state
from edgekit.console import Console
from edgekit.serve.tls.clock import now
from edgekit.serve.tls.make import TlsState, make
from edgekit.serve.tls.names import Names, parse_names

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def state(tmp_path: Path) -> TlsState:
    return make(tmp_path, Names(), now(), device=parse_names(["ward7"], ["10.0.4.7"]))


def test_what_was_made_is_shown_with_what_to_do_with_it(state: TlsState, capsys: Capture) -> None:
    show_state(Console(), state)
    out = capsys.readouterr().out
    assert state.leaf
    for words in (state.authority.fingerprint, "ward7, 10.0.4.7", f"{state.leaf.ends:%Y-%m-%d}", "Hand out"):
        assert words in out
    assert out.count("made just now") == 2
    assert "within half an hour" in out, "names that were added count for a service that runs"


def test_what_was_there_is_shown_as_it_is(state: TlsState, capsys: Capture) -> None:
    show_state(Console(), replace(state, made=("leaf",), notes=("mind the clock",)))
    captured = capsys.readouterr()
    assert captured.out.count("made just now") == 1
    assert "Hand out" not in captured.out
    assert captured.err == "Note: mind the clock\n"
    show_state(Console(), replace(state, made=(), leaf=None))
    out = capsys.readouterr().out
    assert "leaf.pem" not in out
    assert "half an hour" not in out
