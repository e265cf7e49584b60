"""A disk that is full, of bytes or of inodes, wherever staging or an upgrade is: one clear error, and what ran before
runs, or what was to run; nothing of it is left once there is room.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from edgekit.deploy import staging
from edgekit.deploy.layout import Layout
from edgekit.deploy.rollback import roll_back
from edgekit.deploy.staging import stage, verify_release
from edgekit.errors import DiskFull
from edgekit.progress import silent
from tests.deploying import NEW, OLD, THIRD, Site
from tests.lab.disk import NoLab, filesystem
from tests.releases import UNIT, PlainCode, small_bundle

pytestmark = pytest.mark.system  # root, and loop devices

MIB = 1 << 20
CODE = PlainCode({f"edgekit/module{number}.py": b"value = 1\n" * 100 for number in range(100)})


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return small_bundle(tmp_path / "bundle", {"graphs/decoder.data": os.urandom(4 * MIB), "tokenizer.json": b"{}"})


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    """An installation on a disk of 32 MiB and 512 inodes."""
    (tmp_path / "root").mkdir()
    with ExitStack() as stack:
        make = ("mkfs.ext4", "-q", "-F", "-b", "4096", "-N", "512", "-m", "0")
        try:
            stack.enter_context(filesystem(tmp_path / "disk", tmp_path / "root", 32, *make))
        except NoLab as reason:
            pytest.skip(f"no small disk can be had here: {reason}")
        yield Layout(tmp_path / "root")


def test_it_is_told_before_the_first_byte(layout: Layout, tmp_path: Path) -> None:
    large = small_bundle(tmp_path / "large", {"graphs/decoder.data": bytes(12 * MIB)})
    with pytest.raises(DiskFull, match="Two releases"):
        stage(large, CODE, layout, UNIT)
    many = PlainCode({f"module{number}.py": b"1" for number in range(300)})
    small = small_bundle(tmp_path / "small", {"tokenizer.json": b"{}"})
    with pytest.raises(DiskFull, match="inodes"):
        stage(small, many, layout, UNIT)
    assert os.listdir(layout.releases) == []


@pytest.mark.parametrize("free_kib", [0, 1024, 4 * 1024 + 40, 4 * 1024 + 300])
def test_it_gets_full_while_it_is_written(
    layout: Layout, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, free_kib: int
) -> None:
    """Somebody else writes, too: what was counted before does not hold. The code alone takes 400 KiB in blocks."""
    monkeypatch.setattr(staging, "require_room", lambda *arguments: None)
    layout.releases.mkdir(parents=True)
    status = os.statvfs(layout.root)
    ballast = layout.root / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, status.f_bavail * status.f_frsize - (free_kib << 10))
    with pytest.raises(DiskFull, match="No space is left"):
        stage(bundle, CODE, layout, UNIT)
    assert os.listdir(layout.releases) == []
    ballast.unlink()
    record = stage(bundle, CODE, layout, UNIT)
    assert verify_release(layout.release(record.identity), record.identity) == record


@pytest.mark.parametrize("left", [1, 6, 60])
def test_its_inodes_run_out_while_it_is_written(
    layout: Layout, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    monkeypatch.setattr(staging, "require_room", lambda *arguments: None)
    layout.releases.mkdir(parents=True)
    ballast = layout.root / "ballast"
    ballast.mkdir()
    for number in range(os.statvfs(layout.root).f_favail - left):
        (ballast / str(number)).touch()
    with pytest.raises(DiskFull, match="No space is left"):
        stage(bundle, CODE, layout, UNIT)
    assert os.listdir(layout.releases) == []


def fill_bytes(root: Path) -> None:
    """Leave no block free."""
    status = os.statvfs(root)
    with (root / "ballast").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, status.f_bavail * status.f_frsize)
    block = b"0" * status.f_frsize
    with suppress(OSError), (root / "crumbs").open("wb", buffering=0) as file:
        while True:
            file.write(block)


def fill_inodes(root: Path) -> None:
    """Leave no inode free."""
    (root / "ballast").mkdir()
    for number in range(os.statvfs(root).f_favail):
        (root / "ballast" / str(number)).touch()


def make_room(root: Path) -> None:
    (root / "crumbs").unlink(missing_ok=True)
    ballast = root / "ballast"
    shutil.rmtree(ballast) if ballast.is_dir() else ballast.unlink(missing_ok=True)


@pytest.mark.parametrize("fill", [fill_bytes, fill_inodes])
def test_it_gets_full_at_any_step_of_an_upgrade(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fill: Callable[[Path], None]
) -> None:
    """At each word of progress, two a step, until one comes that the upgrade has no more."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    refused, stuck = list[int](), list[int]()
    for point in count(1):
        site = Site(layout.root / str(point))
        site.services.file = tmp_path / f"services-{point}"  # systemd's own are on no disk
        site.installed(OLD)
        words = iter(range(1, 1000))

        def progress(stage: str, done: int, total: int, words: Iterator[int] = words, point: int = point) -> None:
            if next(words) == point:
                fill(layout.root)

        site.hands = replace(site.hands, progress=progress)
        refusal = ""
        try:
            site.install(NEW)
        except DiskFull as error:
            refusal = error.hint or "none"
        running = site.layout.running()
        assert site.services.running == running, point
        if refusal and running == NEW:  # without a block, the link can't be set back
            assert "Not all of it is undone" in refusal
            stuck.append(point)
        elif refusal:
            assert running == OLD, point
            refused.append(point)
        if next(words) <= point:
            break
        make_room(layout.root)
        site.hands = replace(site.hands, progress=silent)
        assert site.watch().outcome in ("nothing to watch", "healthy"), point
        roll_back(site.hands) if site.standing.trial else site.install(THIRD)
        trial, kept = site.standing.trial, site.layout.running()
        assert site.services.running == kept, point
        assert site.journal.operations()[-1].result, point
        assert set(site.layout.identities()) == {kept} | ({trial.previous} if trial else set()), point
        assert list(site.layout.releases.glob(".*")) == [], point
        shutil.rmtree(site.folder)
    assert len(refused) > 20, "or the disk was never full"
    assert len(stuck) < 3
