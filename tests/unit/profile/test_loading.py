"""Files that leave the page cache before a cold start, and whether they really did."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgekit.bundle import Bundle
from edgekit.profile import loading
from edgekit.profile.loading import forget, load_seconds
from edgekit.runtime.model import Model
from tests.unit.check.case import MANIFEST

LARGE = 4 << 20


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    file = tmp_path / "graphs" / "weights.data"
    file.parent.mkdir()
    with file.open("wb") as written:
        written.write(os.urandom(LARGE))
        os.fsync(written.fileno())  # the kernel drops no page that is not on the disk yet
    (tmp_path / "small.json").write_text("{}")
    return Bundle(tmp_path, MANIFEST, "")


@pytest.fixture
def weights(bundle: Bundle) -> Path:
    """A large file, on a file system that gives its pages up."""
    if not forget(bundle):
        pytest.skip("this file system keeps its pages")
    return bundle.path / "graphs" / "weights.data"


def test_files_are_forgotten_before_a_cold_start(bundle: Bundle, weights: Path) -> None:
    weights.read_bytes()
    assert loading._is_cached(weights)
    assert forget(bundle)
    assert not loading._is_cached(weights)


def test_one_page_that_is_there_counts(weights: Path) -> None:
    with weights.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)  # fetching no others
        os.pread(file.fileno(), 1, LARGE * 37 // 64)
    assert loading._is_cached(weights)


def test_pages_that_somebody_holds_are_not_called_forgotten(bundle: Bundle, weights: Path) -> None:
    with weights.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        assert sum(held[:: mmap.PAGESIZE]) > 0  # every page is touched, and mapped
        assert not forget(bundle)


def test_where_nothing_can_be_dropped_nothing_is_claimed(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fadvise")
    assert not forget(bundle)


def test_a_system_that_cannot_tell_counts_as_cached(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_mincore", lambda *_: -1)
    assert not forget(bundle)


def test_opening_is_timed_and_closing_is_not(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0, closed=False)

    def opened(path: Path, slots: int) -> object:
        assert (path, slots) == (bundle.path, 3)
        clock.now += 2.5
        return SimpleNamespace(engine=SimpleNamespace(close=close))

    def close() -> None:
        clock.now += 50
        clock.closed = True

    monkeypatch.setattr(Model, "open", opened)
    monkeypatch.setattr("edgekit.profile.loading.time.perf_counter", lambda: clock.now)
    assert load_seconds(bundle.path, 3) == 2.5
    assert clock.closed
