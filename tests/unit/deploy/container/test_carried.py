"""Wheels are carried by their hashes, whatever machine they are for; what is installed becomes wheels again."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest

from edgekit.deploy.container.carried import python_of, wheels_here, wheels_in
from edgekit.errors import EdgeKitError
from tests.installed import install, write_wheel


def filled(folder: Path) -> Path:
    write_wheel(folder, "edgekit", "9.1", {"edgekit/__init__.py": b""})
    write_wheel(folder, "native", "2", {"native.so": b""}, tag="cp310-cp310-manylinux2014_aarch64")
    write_wheel(folder, "pip", "99", {"pip/__main__.py": b""})
    return folder


def installed(folder: Path) -> list[str]:
    install(folder, "edgekit", "9.1", requires=["helper-tools", "tool ; extra == 'serve'"], extras=["serve"])
    install(folder, "helper-tools", "1", {"helper_tools.py": b"VALUE = 7\n"})
    install(folder, "tool", "1.5")
    install(folder, "pip", "99")
    install(folder, "else", "1")
    return [str(folder)]


def test_a_folder_s_wheels_are_taken_for_whichever_machine(tmp_path: Path) -> None:
    wheels = wheels_in(filled(tmp_path))
    assert [(one.name, one.version) for one in wheels] == [("edgekit", "9.1"), ("native", "2"), ("pip", "99")]
    assert {tag.platform for tag in wheels[1].tags} == {"manylinux2014_aarch64"}
    text = (tmp_path / "requirements.txt").read_text().replace("\\\n    ", "")
    assert "".join(one.line for one in wheels) == text
    assert python_of(wheels) == "3.10", "what is compiled is for one"
    assert python_of([one for one in wheels if one.name != "native"]) == ""


def test_a_wheel_that_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    native = next(filled(tmp_path).glob("native*"))
    native.write_bytes(native.read_bytes() + b"!")
    with pytest.raises(EdgeKitError, match=r"native-2-\S+\.whl is not the file"):
        wheels_in(tmp_path)
    native.rename(tmp_path / "native.whl")
    with pytest.raises(EdgeKitError, match=r"no wheel of native==2 in"):
        wheels_in(tmp_path)


@pytest.mark.parametrize("name", ["edgekit", "pip"])
def test_a_folder_without_what_has_to_be_there_is_refused(tmp_path: Path, name: str) -> None:
    listing = filled(tmp_path) / "requirements.txt"
    lines = listing.read_text().replace("\\\n", "").splitlines()
    listing.write_text("\n".join(line for line in lines if not line.startswith(name)))
    with pytest.raises(EdgeKitError, match=f"does not name {name}"):
        wheels_in(tmp_path)


def test_what_is_installed_becomes_wheels_that_pip_takes(tmp_path: Path) -> None:
    path = installed(tmp_path / "here")
    (folder := tmp_path / "wheels").mkdir()
    wheels = wheels_here("onnxruntime", folder, path)
    assert [one.path.name for one in wheels] == [
        "edgekit-9.1-py3-none-any.whl",
        "helper_tools-1-py3-none-any.whl",
        "pip-99-py3-none-any.whl",
        "tool-1.5-py3-none-any.whl",
    ]
    (folder / "requirements.txt").write_text("".join(one.line for one in wheels))
    command = [
        sys.executable,
        "-m",
        "pip",
        "--isolated",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-index",
    ]
    command += ["--find-links", str(folder), "--require-hashes", "--no-deps", "--no-compile"]
    command += ["--target", str(tmp_path / "site"), "--requirement", str(folder / "requirements.txt")]
    subprocess.run(command, check=True, capture_output=True)
    assert {one.metadata["Name"] for one in distributions(path=[str(tmp_path / "site")])} == {
        one.name for one in wheels
    }
    assert (tmp_path / "site" / "helper_tools.py").read_bytes() == b"VALUE = 7\n"


def test_the_same_files_are_the_same_wheel(tmp_path: Path) -> None:
    path = installed(tmp_path / "here")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first, second = (wheels_here("onnxruntime", tmp_path / name, path) for name in ("first", "second"))
    assert [one.entry for one in first] == [one.entry for one in second]
    with zipfile.ZipFile(first[1].path) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[-1] == "helper_tools-1.dist-info/RECORD"


def test_a_wheel_keeps_what_it_is_for(tmp_path: Path) -> None:
    path = installed(tmp_path / "here")
    described = tmp_path / "here" / "tool-1.5.dist-info" / "WHEEL"
    tags = ["cp311-abi3-manylinux_2_28_x86_64", "cp311-abi3-manylinux2014_x86_64"]
    text = described.read_text().replace("Tag: py3-none-any\n", "".join(f"Tag: {tag}\n" for tag in tags))
    files = {"tool/__init__.py": b""}
    described.write_text(text)
    record = described.with_name("RECORD")
    record.write_text("\n".join(line for line in record.read_text().splitlines() if "WHEEL" not in line))
    (tmp_path / "wheels").mkdir()
    with pytest.raises(EdgeKitError, match="tool was not installed from a wheel"):
        wheels_here("onnxruntime", tmp_path / "wheels", path)
    from tests.installed import hashed

    record.write_text(record.read_text() + f"\ntool-1.5.dist-info/WHEEL,{hashed(text.encode())},{len(text)}\n")
    (folder := tmp_path / "again").mkdir()
    name = "tool-1.5-cp311-abi3-manylinux_2_28_x86_64.manylinux2014_x86_64.whl"
    assert wheels_here("onnxruntime", folder, path)[-1].path.name == name
    assert files.keys() <= set(zipfile.ZipFile(folder / name).namelist())


def test_what_was_changed_since_it_was_installed_is_refused(tmp_path: Path) -> None:
    path = installed(tmp_path / "here")
    (tmp_path / "here" / "helper_tools.py").write_bytes(b"VALUE = 8\n")
    (tmp_path / "wheels").mkdir()
    with pytest.raises(EdgeKitError, match=r"helper_tools\.py is not what was installed"):
        wheels_here("onnxruntime", tmp_path / "wheels", path)
