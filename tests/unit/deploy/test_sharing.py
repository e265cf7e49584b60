"""What an earlier release holds is linked, if the disk still has it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from edgekit.bundle.hashes import FileEntry, hash_files
from edgekit.deploy.layout import Layout
from edgekit.deploy.record import FILES, record_of, write_record
from edgekit.deploy.sharing import Earlier
from tests import releases

CONTENTS = {"bundle/one": b"one", "bundle/two": b"two", "site/empty": b""}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root")
    folder = layout.release("1" * 64)
    releases.write_files(folder, CONTENTS)
    write_record(folder, record_of("0" * 64, (), ""), hash_files(folder))
    return layout


def wanted(folder: Path) -> dict[Path, FileEntry]:
    """The same files, and one more, in another folder."""
    releases.write_files(folder, CONTENTS | {"bundle/three": b"three"})
    return {folder / name: entry for name, entry in hash_files(folder).items()}


def test_equal_files_become_links(layout: Layout, tmp_path: Path) -> None:
    earlier = Earlier(layout)
    linked = earlier.link(wanted(tmp_path / "new"))
    assert {path.name for path in linked} == {"one", "two"}
    for name in ("bundle/one", "bundle/two"):
        assert (tmp_path / "new" / name).samefile(layout.release("1" * 64) / name)
    assert (tmp_path / "new/site/empty").stat().st_nlink == 1
    assert sorted(path.name for path in (tmp_path / "new" / "bundle").iterdir()) == ["one", "three", "two"]


def test_a_link_stands_where_nothing_did(layout: Layout, tmp_path: Path) -> None:
    entry = hash_files(layout.release("1" * 64))["bundle/one"]
    assert Earlier(layout).link({tmp_path / "new": entry}, 0o644) == {tmp_path / "new"}
    assert (tmp_path / "new").read_bytes() == b"one"


def test_what_the_disk_has_lost_is_not_inherited(layout: Layout, tmp_path: Path) -> None:
    (layout.release("1" * 64) / "bundle/one").write_bytes(b"One")
    assert {path.name for path in Earlier(layout).link(wanted(tmp_path / "new"))} == {"two"}
    assert (tmp_path / "new/bundle/one").read_bytes() == b"one"


def test_permissions_are_part_of_it(layout: Layout, tmp_path: Path) -> None:
    files = wanted(tmp_path / "new")
    (tmp_path / "new/bundle/one").chmod(0o755)
    assert {path.name for path in Earlier(layout).link(files)} == {"two"}


def test_a_file_system_without_links_gets_copies(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: Path) -> None:
        raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))

    monkeypatch.setattr(os, "link", refuse)
    assert not Earlier(layout).link(wanted(tmp_path / "new"))


def test_a_release_whose_list_is_damaged_shares_nothing(layout: Layout, tmp_path: Path) -> None:
    (layout.release("1" * 64) / FILES).write_text("{")
    assert not Earlier(layout).link(wanted(tmp_path / "new"))
