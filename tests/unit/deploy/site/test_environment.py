"""The environment that runs becomes a release's code, file by file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.deploy.site.environment import Environment
from edgekit.errors import BundleError, EdgeKitError
from tests.installed import install

MODULE = b"import helper\n\n\ndef answer():\n    return helper.VALUE, __file__\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "lib" / "site-packages"
    install(site, "edgekit", "9.1", {"edgekit/__init__.py": MODULE}, requires=("helper",))
    install(site, "helper", files={"helper.py": b"VALUE = 42\n", "helper_tool": b"#!/bin/sh\n"})
    (site / "helper_tool").chmod(0o755)
    return site


def environment(site: Path) -> Environment:
    return Environment(path=[str(site)])


def test_it_is_copied_and_runs_where_it_is_moved(site: Path, tmp_path: Path) -> None:
    environment(site).write(tmp_path / "partial")
    (tmp_path / "partial").rename(tmp_path / "whole")
    script = "import edgekit, helper; print(*edgekit.answer(), helper.__cached__)"
    command = [sys.executable, "-s", "-S", "-c", script]
    where = {"PYTHONPATH": str(tmp_path / "whole")}
    done = subprocess.run(command, cwd=tmp_path, env=where, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    value, file, compiled = done.stdout.split()
    assert value == "42"
    assert Path(file) == tmp_path / "whole" / "edgekit" / "__init__.py"
    assert Path(compiled).exists()
    assert b"/mnt/release/site/helper.py" in Path(compiled).read_bytes()
    assert str(tmp_path).encode() not in Path(compiled).read_bytes()
    assert (tmp_path / "whole" / "helper_tool").stat().st_mode & 0o777 == 0o755


def test_the_copy_is_an_environment_of_the_same_packages(site: Path, tmp_path: Path) -> None:
    first = environment(site)
    assert [(one.name, one.version) for one in first.packages()] == [("edgekit", "9.1"), ("helper", "1")]
    first.write(tmp_path / "copy")
    assert environment(tmp_path / "copy").packages() == first.packages()


def test_room_counts_the_bytecode_too(site: Path) -> None:
    room = environment(site).room()
    assert room.inodes == 3 + 2 * 2 + 2  # files, two descriptions each, two compiled modules
    assert room.bytes == room.inodes * 4096


def test_a_file_that_was_changed_since_is_refused(site: Path, tmp_path: Path) -> None:
    (site / "helper.py").write_bytes(b"VALUE = 43\n")
    with pytest.raises(BundleError, match=r"helper\.py: the contents differ") as caught:
        environment(site).write(tmp_path / "copy")
    assert "install helper again" in caught.value.hint
    (site / "helper.py").unlink()
    with pytest.raises(BundleError, match=r"helper\.py is missing"):
        environment(site).write(tmp_path / "other")


def test_two_packages_that_hold_one_file_differently_are_refused(site: Path, tmp_path: Path) -> None:
    install(site, "edgekit", "9.1", {"edgekit/__init__.py": MODULE}, requires=("helper", "twin"))
    install(site, "twin", files={"helper.py": b"VALUE = 1\n"})
    with pytest.raises(EdgeKitError, match=r"Two packages hold helper\.py"):
        environment(site).write(tmp_path / "copy")
