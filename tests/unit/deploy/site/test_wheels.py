"""A folder of wheels becomes a release's code, each wheel by its hash; nothing else is asked."""

from __future__ import annotations

import errno
import os
import subprocess
from importlib.metadata import distributions
from pathlib import Path

import pytest

from edgekit.deploy.site import wheels
from edgekit.deploy.site.wheels import REQUIREMENTS, Wheels
from edgekit.errors import DiskFull, EdgeKitError
from tests.installed import write_wheel


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    write_wheel(folder, "edgekit", "9.1", {"edgekit/__init__.py": b"VALUE = 42\n"})
    write_wheel(folder, "helper-tools", "1.0", {"helper_tools.py": b""})
    return folder


def test_each_package_has_its_wheel_s_hash(folder: Path) -> None:
    packages = Wheels(folder).packages()
    assert [(one.name, one.version) for one in packages] == [("edgekit", "9.1"), ("helper-tools", "1.0")]
    for one in packages:
        assert f"--hash=sha256:{one.sha256}\n" in (folder / REQUIREMENTS).read_text()
    assert Wheels(folder).room().inodes == 2 * (4 + 1)  # files, three of them descriptions, and a compiled module


def test_pip_unpacks_them_whatever_it_is_told_elsewhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_BINARY", ":all:")  # would refuse every wheel
    monkeypatch.chdir(tmp_path)
    site = tmp_path / "release" / "site"
    site.parent.mkdir()
    Wheels(Path("wheels")).write(Path("release/site"))
    assert {one.metadata["Name"] for one in distributions(path=[str(site)])} == {"edgekit", "helper-tools"}
    assert (site / "edgekit" / "__init__.py").read_bytes() == b"VALUE = 42\n"
    assert (site / "edgekit" / "__init__.py").stat().st_mode & 0o777 == 0o644
    assert len(list(site.rglob("*.pyc"))) == 2
    assert os.listdir(site.parent) == ["site"]


def test_a_wheel_that_was_damaged_is_named_before_pip_sees_it(folder: Path) -> None:
    path = next(folder.glob("edgekit-*.whl"))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(EdgeKitError, match=r"edgekit-9\.1-py3-none-any\.whl is not the file"):
        Wheels(folder).packages()


def test_a_wheel_for_another_machine_is_none(folder: Path) -> None:
    write_wheel(folder, "native", "1", {"native.so": b""}, tag="cp39-cp39-manylinux2014_ppc64")
    with pytest.raises(EdgeKitError, match="no wheel of native==1 for this Python") as caught:
        Wheels(folder).packages()
    assert "make wheels" in caught.value.hint


def test_what_is_for_other_pythons_is_left_out(folder: Path) -> None:
    with (folder / REQUIREMENTS).open("a") as listing:
        listing.write(f"\n# of old times\nold==1 ; python_version < '3' --hash=sha256:{'0' * 64}  # none\n")
    assert len(Wheels(folder).packages()) == 2


@pytest.mark.parametrize(
    "line", ["loose>=1 --hash=sha256:" + "0" * 64, "bare==1", "--find-links elsewhere", "-r other"]
)
def test_a_line_that_pins_nothing_is_refused(folder: Path, line: str) -> None:
    with (folder / REQUIREMENTS).open("a") as listing:
        listing.write(line + "\n")
    with pytest.raises(EdgeKitError, match=r"requirements\.txt"):
        Wheels(folder).packages()


def test_a_folder_without_a_list_or_without_edgekit_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match=r"requirements\.txt can't be read: No such file"):
        Wheels(tmp_path).packages()
    text = (folder / REQUIREMENTS).read_text()
    (folder / REQUIREMENTS).write_text(text[text.index("helper") :])
    with pytest.raises(EdgeKitError, match="does not name edgekit itself"):
        Wheels(folder).packages()


def test_a_pip_that_is_carried_is_the_one_that_is_taken(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(folder, "pip", "99.0", {"pip/__main__.py": b""})
    commands: list[list[str]] = []

    def full(command: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        assert variables["PIP_CONFIG_FILE"] == os.devnull
        return subprocess.CompletedProcess(command, 1, "", f"ERROR: {os.strerror(errno.ENOSPC)}")

    monkeypatch.setattr(wheels, "run_clean", full)
    with pytest.raises(DiskFull, match="No space left"):
        Wheels(folder).write(tmp_path / "site")
    assert str(folder / "pip-99.0-py3-none-any.whl" / "pip") in commands[0]
    assert {"--isolated", "--no-index", "--require-hashes", "--no-deps"} <= set(commands[0])
    assert os.listdir(tmp_path) == ["wheels"]
    assert "pip" not in {one.name for one in Wheels(folder).packages()}, "it unpacks, and no more"
