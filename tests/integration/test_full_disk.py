"""A disk that is full, of bytes or of inodes, wherever staging is: one clear error, and nothing of it is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from edgekit.deploy import staging
from edgekit.deploy.layout import Layout
from edgekit.deploy.staging import stage, verify_release
from edgekit.errors import DiskFull
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
