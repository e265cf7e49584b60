"""Of the system's packages a release sees what its engine needs, and nothing that it brings itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgekit.deploy.layout import Layout
from edgekit.deploy.site.system import link_packages
from tests.releases import write_files


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A device whose system has two packages for its Python 3.10, and one for any."""
    packages = {f"python3.10/dist-packages/{name}/__init__.py": b"" for name in ("tensorrt", "numpy")}
    write_files(tmp_path / "device/usr/lib", packages | {"python3/dist-packages/common/__init__.py": b""})
    (tmp_path / "site").mkdir()
    return Layout(tmp_path / "device")


def links(layout: Layout, tmp_path: Path, *modules: str, python: str = "3.10") -> dict[str, str]:
    link_packages(tmp_path / "system", modules, tmp_path / "site", layout, python)
    return {path.name: os.readlink(path) for path in (tmp_path / "system").iterdir()}


def test_what_the_engine_needs_is_linked_as_the_device_sees_it(layout: Layout, tmp_path: Path) -> None:
    assert links(layout, tmp_path, "tensorrt", "tensorrt_rtx", "common") == {
        "tensorrt": "/usr/lib/python3.10/dist-packages/tensorrt",
        "common": "/usr/lib/python3/dist-packages/common",
    }


def test_what_the_release_brings_is_not(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "site" / "tensorrt").mkdir()
    assert links(layout, tmp_path, "tensorrt") == {}


def test_a_package_for_another_python_is_none(layout: Layout, tmp_path: Path) -> None:
    assert links(layout, tmp_path, "tensorrt", python="3.12") == {}
