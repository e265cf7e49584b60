"""A build context for people says which image comes of it, and loudly what it doesn't pin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.cli.show.container import show_context
from edgekit.console import Console
from edgekit.deploy.container.base import Base
from edgekit.deploy.container.context import Context

CONTEXT = Context(
    folder=Path("ctx"),
    family="rtx",
    image="edgekit:rtx3050-0123",
    base=Base("base:1", "0" * 64),
    target="rtx3050",
    wheels=41,
    python="3.12",
    bundle_bytes=3 << 30,
)


def test_it_says_what_it_is_and_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    show_context(Console(), CONTEXT)
    out, err = capsys.readouterr()
    assert "ctx: an image of the family rtx for rtx3050 (41 wheels, 3.00 GiB of bundle)." in out
    assert "Its base must have Python 3.12" in out
    assert "edgekit:rtx3050-0123" in out
    assert not err


def test_a_base_that_may_change_is_told_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    show_context(Console(), replace(CONTEXT, base=Base("base:1", "")))
    assert "UNPINNED: base:1" in capsys.readouterr().err
