"""A release is there whole, or nothing of it is; and what is left of a killed run goes with the next."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit.bundle import MANIFEST, Bundle
from edgekit.config.state import flush_folder
from edgekit.deploy import durable, staging
from edgekit.deploy.layout import BUNDLE, RECORD, SITE, SYSTEM, Layout
from edgekit.deploy.record import FILES, Record
from edgekit.deploy.staging import remove_release, stage, verify_release
from edgekit.errors import BundleError, ConfigError, DiskFull, EdgeKitError
from tests.releases import UNIT, PlainCode, small_bundle

WEIGHTS = {"graphs/decoder.onnx": b"weights" * 1000, "tokenizer.json": b"{}"}
CODE = PlainCode({"edgekit/__init__.py": b"", "edgekit/serve.py": b"serve()\n"})


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return small_bundle(tmp_path / "bundle", WEIGHTS)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "root")


def staged(bundle: Bundle, layout: Layout, code: PlainCode = CODE) -> tuple[Record, Path]:
    record = stage(bundle, code, layout, UNIT)
    return record, layout.release(record.identity)


def names(layout: Layout) -> list[str]:
    return sorted(os.listdir(layout.releases))


def test_a_release_holds_the_bundle_the_code_and_what_names_both(bundle: Bundle, layout: Layout) -> None:
    (bundle.path / "profiles").mkdir()
    (bundle.path / "profiles" / "here.json").write_text("of another device")
    record, folder = staged(bundle, layout)
    assert names(layout) == [record.identity]
    assert sorted(os.listdir(folder)) == sorted([BUNDLE, SITE, SYSTEM, RECORD, FILES])
    assert {
        path.relative_to(folder / BUNDLE).as_posix() for path in (folder / BUNDLE).rglob("*") if path.is_file()
    } == {
        MANIFEST,
        *WEIGHTS,
    }
    assert (folder / SITE / "edgekit" / "serve.py").read_bytes() == b"serve()\n"
    assert verify_release(folder, record.identity) == record
    assert record.bundle == bundle.digest
    assert layout.running() is None, "nothing is switched"


def test_the_same_is_taken_as_it_is(bundle: Bundle, layout: Layout) -> None:
    record, folder = staged(bundle, layout)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert staged(bundle, layout) == (record, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_equal_files_of_the_one_before_are_links(bundle: Bundle, layout: Layout) -> None:
    _, before = staged(bundle, layout)
    _, after = staged(bundle, layout, PlainCode(CODE.files | {"edgekit/serve.py": b"serve_better()\n", "new.py": b"1"}))
    for name in (f"{BUNDLE}/graphs/decoder.onnx", f"{BUNDLE}/{MANIFEST}"):
        assert (after / name).samefile(before / name)
    assert (before / SITE / "edgekit/serve.py").read_bytes() == b"serve()\n"
    assert (after / SITE / "edgekit/serve.py").read_bytes() == b"serve_better()\n"
    assert len(layout.identities()) == 2


def test_a_damaged_release_is_written_anew_unless_it_is_the_current_one(bundle: Bundle, layout: Layout) -> None:
    record, folder = staged(bundle, layout)
    weights = folder / BUNDLE / "graphs/decoder.onnx"
    content = weights.read_bytes()
    for damage in (weights, folder / RECORD, folder / FILES, folder / BUNDLE / MANIFEST):
        damage.write_bytes(b"W" + damage.read_bytes()[1:])
        with pytest.raises((BundleError, ConfigError)):
            verify_release(folder, record.identity)
        staged(bundle, layout)
        assert weights.read_bytes() == content
        verify_release(folder, record.identity)
    weights.write_bytes(b"W" + content[1:])
    layout.current.symlink_to(f"releases/{record.identity}")
    with pytest.raises(EdgeKitError, match="is the current one, and damaged"):
        staged(bundle, layout)
    assert folder.exists()


def test_a_bundle_that_is_damaged_is_named_and_leaves_nothing(bundle: Bundle, layout: Layout) -> None:
    path = bundle.path / "graphs/decoder.onnx"
    path.write_bytes(b"W" + path.read_bytes()[1:])
    with pytest.raises(BundleError, match=r"decoder\.onnx: the contents differ"):
        staged(bundle, layout)
    path.unlink()
    with pytest.raises(BundleError, match=r"decoder\.onnx is missing"):
        staged(bundle, layout)
    assert names(layout) == []


class Failing(PlainCode):
    """Code that writes a part, and then can't go on."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(CODE.files)
        self.error = error

    def write(self, folder: Path, compile_in: Callable[[Path], None] | None = None) -> None:
        super().write(folder)
        raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DiskFull("No space"), BundleError("damaged"), MemoryError()])
def test_whatever_ends_it_leaves_nothing(bundle: Bundle, layout: Layout, error: BaseException) -> None:
    with pytest.raises(type(error)):
        staged(bundle, layout, Failing(error))
    assert names(layout) == []


def test_a_disk_that_gives_back_something_else_makes_no_release(
    bundle: Bundle, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = durable._sync

    def lying(descriptor: int) -> None:
        real(descriptor)
        partial = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        (partial / BUNDLE / "tokenizer.json").write_bytes(b"{ ")

    monkeypatch.setattr(durable, "_sync", lying)
    with pytest.raises(BundleError, match=r"tokenizer\.json: the contents differ") as caught:
        staged(bundle, layout)
    assert "replace it" in caught.value.hint
    assert names(layout) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_when_it_is_flushed_makes_no_release(
    bundle: Bundle, layout: Layout, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(durable, "_sync", full)
    with pytest.raises(DiskFull):
        staged(bundle, layout)
    assert names(layout) == []


def test_all_is_flushed_before_the_rename_and_the_rename_after(
    bundle: Bundle, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    real = durable._sync

    def sync(descriptor: int) -> None:
        partial = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        assert (partial / RECORD).exists()
        order.append("flush all")
        real(descriptor)

    def flush(folder: Path) -> None:
        order.append(f"flush {', '.join(name[:1] for name in names(layout))}")
        flush_folder(folder)

    def read(*arguments: Any) -> None:
        order.append("read back")
        durable.read_back(*arguments)

    monkeypatch.setattr(durable, "_sync", sync)
    monkeypatch.setattr(staging, "read_back", read)
    monkeypatch.setattr(staging, "flush_folder", flush)
    record, _ = staged(bundle, layout)
    assert order == ["flush all", "read back", f"flush {record.identity[:1]}"]


def test_there_must_be_room_before_the_first_byte(
    bundle: Bundle, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=1, f_frsize=4096, f_files=0, f_favail=0))
    monkeypatch.setattr(staging, "_fill", lambda *arguments: pytest.fail("something was written"))
    with pytest.raises(DiskFull, match="Two releases"):
        staged(bundle, layout)
    assert names(layout) == []


def test_what_a_killed_run_left_goes_and_nothing_else(bundle: Bundle, layout: Layout) -> None:
    layout.partial("1" * 64).mkdir(parents=True)
    (layout.partial("1" * 64) / "half").write_text("half")
    (layout.releases / ".notes.partial").mkdir()
    record, _ = staged(bundle, layout)
    assert names(layout) == sorted([".notes.partial", record.identity])


def test_a_release_is_removed_unless_it_is_the_current_one(bundle: Bundle, layout: Layout) -> None:
    record, _ = staged(bundle, layout)
    layout.current.symlink_to(f"releases/{record.identity}")
    with pytest.raises(EdgeKitError, match="is the current one"):
        remove_release(layout, record.identity)
    layout.current.unlink()
    remove_release(layout, record.identity)
    assert names(layout) == []
    with pytest.raises(EdgeKitError, match="No such file"):
        remove_release(layout, record.identity)


def test_two_do_not_write_at_once(bundle: Bundle, layout: Layout) -> None:
    layout.releases.mkdir(parents=True)
    held = os.open(layout.releases, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(EdgeKitError, match="Another process"):
            staged(bundle, layout)
    finally:
        os.close(held)
    staged(bundle, layout)
