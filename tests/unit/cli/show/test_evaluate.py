"""Scores side by side: shares with half of their interval, what was not asked left out, and what changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.cli.show.evaluate import show_scores
from edgekit.console import Console
from edgekit.evaluate.compare import Evaluated
from edgekit.evaluate.phantoms import questions, score
from edgekit.evaluate.share import Share
from tests.rendered import rows

ASKED = questions(6)
ANSWERS = [asked.question.answer for asked in ASKED]
CLOSED = [at for at, asked in enumerate(ASKED) if asked.question.form == "closed"]


def evaluated(name: str, wrong: set[int]) -> Evaluated:
    answers = ["perhaps" if at in wrong else answer for at, answer in enumerate(ANSWERS)]
    return Evaluated(name, name, 3 << 20, "d" * 64, score(ASKED, answers))


def test_a_share_has_half_of_its_interval_and_what_guessing_scores(capsys: pytest.CaptureFixture[str]) -> None:
    one = evaluated("q4", set(CLOSED[:1]))
    show_scores(Console(), [one])
    shown = rows(capsys.readouterr().out)
    low, high = Share(len(CLOSED) - 1, len(CLOSED)).interval
    guessed = one.scores.guessing["closed"].percent
    percent = 100 * (len(CLOSED) - 1) / len(CLOSED)
    assert shown[0] == ["answered rightly, %", "guessing", "q4"]
    assert shown[1] == ["on disk", "3.00 MiB"]
    assert [f"closed ({len(CLOSED)})", f"{guessed:.1f}", f"{percent:.1f} ±{(high - low) / 2:.1f}"] in shown
    assert not [row for row in shown if "against" in row[0]]


def test_changes_are_counted_against_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = (evaluated(name, set(CLOSED[:wrong])) for name, wrong in (("a", 1), ("b", 0), ("c", 3)))
    show_scores(Console(), [first, second, third])
    shown = rows(capsys.readouterr().out)
    changes = shown[shown.index(["b", "c"]) :]
    assert changes[1] == ["closed", "-0 +1", "-2 +0"]
    assert changes[2] == ["open", "-0 +0", "-0 +0"]


def test_topics_are_for_who_asks_for_more(capsys: pytest.CaptureFixture[str]) -> None:
    topics = {asked.question.topic for asked in ASKED}
    for verbose in (False, True):
        show_scores(Console(verbose=verbose), [evaluated("q4", set())])
        labels = {row[0].rpartition(" (")[0] for row in rows(capsys.readouterr().out)}
        assert (topics <= labels) == verbose


def test_what_was_not_asked_has_no_row(capsys: pytest.CaptureFixture[str]) -> None:
    one = evaluated("q4", set())
    nothing = replace(one.scores, forms={**one.scores.forms, "open": Share(0, 0)})
    show_scores(Console(), [replace(one, scores=nothing)])
    assert "open" not in capsys.readouterr().out
