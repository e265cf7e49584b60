"""What looks at a machine at night: its settings, its memory, its processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle
from edgekit.deploy import here, nightly_here
from edgekit.deploy.beside import Bytes
from edgekit.deploy.hours import SETTING
from edgekit.deploy.layout import Layout
from edgekit.deploy.nightly_here import means_here
from edgekit.progress import Progress, silent
from edgekit.serve.memory import guard_for
from edgekit.target import target
from edgekit.units import GIB
from tests.deploying import Site
from tests.releases import small_bundle


def test_the_site_says_when_the_service_may_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly_here, "forbidden", lambda setting, now: repr(setting))
    layout = Layout(tmp_path)
    assert means_here(layout).forbidden() == "''"
    layout.environment.parent.mkdir(parents=True)
    layout.environment.write_text(f"EDGEKIT_PORT=8080\n#{SETTING}=0-24\n")
    assert means_here(layout).forbidden() == "''"
    layout.environment.write_text(f'{SETTING}="0-24"\n')
    assert means_here(layout).forbidden() == "'0-24'"


def test_memory_is_this_machine_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = small_bundle(tmp_path / "bundle", {"tokenizer.json": b"{}"})

    def takes(bytes_: int) -> str:
        def taken(opened: Bundle) -> Bytes:
            assert opened.digest == bundle.digest
            return Bytes(bytes_)

        monkeypatch.setattr(nightly_here, "taken", taken)
        return means_here(Layout(tmp_path)).lacking(bundle.path)

    assert takes(0) == ""
    assert "of memory are free" in takes(1 << 60)
    assert "manifest.json" in means_here(Layout(tmp_path)).lacking(tmp_path / "nowhere")


def test_a_board_whose_service_would_take_nothing_new_meanwhile_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = small_bundle(tmp_path / "bundle", {"tokenizer.json": b"{}"})
    board = replace(bundle, manifest=replace(bundle.manifest, target=target("orin")))
    floor_bytes = guard_for(target("orin")).floor_bytes
    monkeypatch.setattr(nightly_here, "taken", lambda opened: Bytes(GIB))
    monkeypatch.setattr(nightly_here, "free_here", lambda asked, host: Bytes(GIB + floor_bytes))
    assert means_here(Layout(tmp_path)).lacking(bundle.path) == "", "a processor's unit has a limit"
    monkeypatch.setattr(nightly_here, "open_bundle", lambda path: board)
    assert "of memory are free" in means_here(Layout(tmp_path)).lacking(bundle.path)


def test_a_release_that_is_not_there_is_a_finding_and_no_error(tmp_path: Path) -> None:
    (finding,) = means_here(Layout(tmp_path)).look("1" * 64)
    assert "release.json" in finding.what


def test_what_keeps_the_service_stopped_has_an_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float | None] = []

    def listen(
        command: list[str], doing: str, progress: Progress, variables: Mapping[str, str], seconds: float | None
    ) -> list[Any]:
        given.append(seconds)
        return [{}]

    monkeypatch.setattr(here, "listen", listen)
    hands = replace(site.hands, examine=here.examine)
    for each in (hands, means_here(site.layout).hurried(hands, 7)):
        each.examine("check", site.folder, silent)
    assert given == [None, 7]
