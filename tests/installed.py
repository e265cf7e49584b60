"""Wheels and installed distributions of a few files, as pip and its like make them: no package is needed."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def hashed(content: bytes) -> str:
    """A digest as RECORD has it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def files_of(
    name: str, version: str, files: Mapping[str, bytes], requires: Sequence[str] = (), extras: Sequence[str] = ()
) -> dict[str, bytes]:
    """A distribution's files with its metadata, and the RECORD of them all."""
    folder = f"{name.replace('-', '_')}-{version}.dist-info"
    headers = [("Metadata-Version", "2.1"), ("Name", name), ("Version", version)]
    headers += [("Requires-Dist", line) for line in requires] + [("Provides-Extra", extra) for extra in extras]
    metadata = "".join(f"{key}: {value}\n" for key, value in headers)
    wheel = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    whole = {**files, f"{folder}/METADATA": metadata.encode(), f"{folder}/WHEEL": wheel.encode()}
    rows = [f"{path},{hashed(content)},{len(content)}\n" for path, content in whole.items()]
    return {**whole, f"{folder}/RECORD": "".join([*rows, f"{folder}/RECORD,,\n"]).encode()}


def write_wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes], tag: str = "py3-none-any") -> Path:
    """A wheel, and its line in requirements.txt beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.replace('-', '_')}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in files_of(name, version, files).items():
            archive.writestr(file, content)
    with (folder / "requirements.txt").open("a") as listing:
        listing.write(f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    return path


def install(
    folder: Path,
    name: str,
    version: str = "1",
    files: Mapping[str, bytes] | None = None,
    *,
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
) -> Path:
    """What pip leaves in a folder of packages; returns the distribution's own folder in it."""
    contents = {f"{name}/__init__.py": b""} if files is None else files
    for path, content in files_of(name, version, contents, requires, extras).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder / f"{name.replace('-', '_')}-{version}.dist-info"
