"""A machine's name in reports."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from edgekit.machine.pseudonym import pseudonym


def test_it_stays_differs_and_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    names = set()
    for number, node in (("aa11", "ward"), ("aa11", "lab"), ("bb22", "ward")):
        (tmp_path / "etc/machine-id").write_text(f"{number}\n")
        monkeypatch.setattr(platform, "node", lambda node=node: node)
        name = pseudonym(tmp_path)
        assert name == pseudonym(tmp_path)
        assert not any(word in name for word in (number, node))
        names.add(name)
    assert len(names) == 3
