"""While an image is built, what its base alone has is linked, or the build ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgekit.deploy.container.linked import link
from edgekit.deploy.layout import Layout
from edgekit.errors import EngineError
from tests.releases import write_files


@pytest.mark.parametrize("folder", ["lib/python3.10", "lib/python3", "local/lib/python3.10"])
def test_the_base_s_package_is_linked_alone(tmp_path: Path, folder: str) -> None:
    packages = f"usr/{folder}/dist-packages"
    write_files(tmp_path / "root", {f"{packages}/{name}/__init__.py": b"" for name in ("tensorrt", "numpy")})
    link(tmp_path / "image", ["tensorrt"], Layout(tmp_path / "root"), "3.10")
    assert os.listdir(tmp_path / "image" / "system") == ["tensorrt"]
    assert os.readlink(tmp_path / "image" / "system" / "tensorrt") == f"/{packages}/tensorrt"


def test_a_wheel_s_own_is_taken(tmp_path: Path) -> None:
    write_files(tmp_path / "image", {"site/tensorrt/__init__.py": b""})
    link(tmp_path / "image", ["tensorrt"], Layout(tmp_path / "root"), "3.12")
    assert not os.listdir(tmp_path / "image" / "system")


def test_a_base_without_it_ends_the_build(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"The base has no tensorrt for its Python 3\.10"):
        link(tmp_path / "image", ["tensorrt"], Layout(tmp_path / "root"), "3.10")
