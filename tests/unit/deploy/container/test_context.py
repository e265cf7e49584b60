"""A build context is whole, or not there; each refusal says what is wrong."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from edgekit.bundle import Bundle, open_bundle, verify
from edgekit.deploy.container.base import Base, read_base
from edgekit.deploy.container.context import write_context
from edgekit.deploy.container.families import file_of
from edgekit.errors import BundleError, ConfigError, EdgeKitError
from edgekit.target import target
from tests.installed import write_wheel
from tests.releases import small_bundle

BASE = read_base(f"ward/base:1@sha256:{'ab' * 32}")
FILES = {"graphs/vision.onnx": b"graph", "tokenizer.json": b"{}"}


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return small_bundle(tmp_path / "bundle", FILES)


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    for name in ("edgekit", "pip"):
        write_wheel(folder, name, "9.1", {f"{name}/__init__.py": b""})
    return folder


def test_it_holds_all_that_a_build_takes(bundle: Bundle, wheels: Path, tmp_path: Path) -> None:
    context = write_context(bundle, target("cpu"), BASE, tmp_path / "out", wheels)
    folder = context.folder
    assert sorted(os.listdir(folder)) == [
        *(".dockerignore", ".env", "Dockerfile", "README.md", "bundle", "compose.yaml", "mounted.yaml", "wheels"),
    ]
    assert (folder / "Dockerfile").read_text() == file_of("cpu/Dockerfile").read_text()
    assert (folder / ".env").read_text() == f"BASE={BASE.reference}\nIMAGE={context.image}\n"
    assert re.fullmatch(rf"edgekit:cpu-{bundle.digest[:12]}-[0-9a-f]{{12}}", context.image)
    assert yaml.safe_load((folder / "compose.yaml").read_text()) == yaml.safe_load(
        file_of("cpu/compose.yaml").read_text()
    )
    copied = open_bundle(folder / "bundle")
    verify(copied)
    assert copied.digest == bundle.digest
    assert context.document() == {
        "folder": str(folder),
        "family": "cpu",
        "image": context.image,
        "base": BASE.reference,
        "target": "cpu",
        "wheels": 2,
        "python": "",
        "bundle_bytes": bundle.bytes,
        "pinned": True,
    }


def test_an_image_has_another_name_as_soon_as_it_is_made_of_anything_else(
    bundle: Bundle, wheels: Path, tmp_path: Path
) -> None:
    def image(name: str, base: Base = BASE) -> str:
        return write_context(bundle, target("cpu"), base, tmp_path / name, wheels).image

    first = image("first")
    assert image("again") == first
    other_base = image("base", read_base(f"ward/base:1@sha256:{'cd' * 32}"))
    shutil.rmtree(wheels)
    for name in ("edgekit", "pip"):
        write_wheel(wheels, name, "9.1", {f"{name}/__init__.py": b"", f"{name}/new.py": b""})
    assert len({first, other_base, image("updated")}) == 3


def test_its_wheels_are_listed_by_their_hashes_and_pip_apart(bundle: Bundle, wheels: Path, tmp_path: Path) -> None:
    folder = write_context(bundle, target("cpu"), BASE, tmp_path / "out", wheels).folder / "wheels"
    own, pip = ((folder / f"{name}-9.1-py3-none-any.whl").read_bytes() for name in ("edgekit", "pip"))
    listed = f"edgekit==9.1 --hash=sha256:{hashlib.sha256(own).hexdigest()}\n"
    assert (folder / "requirements.txt").read_text() == listed
    assert (folder / "pip.sha256").read_text() == f"{hashlib.sha256(pip).hexdigest()}  pip-9.1-py3-none-any.whl\n"


def test_what_a_device_adds_lies_in_the_volume_by_the_bundle(bundle: Bundle, wheels: Path, tmp_path: Path) -> None:
    (bundle.path / "engines" / "elsewhere").mkdir(parents=True)
    (bundle.path / "engines" / "elsewhere" / "plan").write_bytes(b"of another machine")
    folder = write_context(bundle, target("cpu"), BASE, tmp_path / "out", wheels).folder
    for name in ("engines", "profiles"):
        place = os.readlink(folder / "bundle" / name)
        assert place == f"/var/lib/edgekit/added/{name}/{bundle.digest[:16]}"


def test_its_readme_has_the_commands_of_both_engines(bundle: Bundle, wheels: Path, tmp_path: Path) -> None:
    text = (write_context(bundle, target("cpu"), BASE, tmp_path / "out", wheels).folder / "README.md").read_text()
    for line in ("docker build ", "docker run ", "podman build ", "podman run "):
        assert f"\n{line}" in text
    assert text.count(f"--build-arg BASE={BASE.reference}") == 2
    assert text.count("--read-only --cap-drop ALL") == 2
    assert '"$PWD/bundle:/opt/edgekit/bundle:ro"' in text
    assert "://" not in text.replace("http://127.0.0.1:8080/", "")


def refused(folder: Path) -> None:
    """Nothing is left of what was not written."""
    assert not [name for name in os.listdir(folder) if "out" in name]


def test_a_damaged_bundle_leaves_nothing(bundle: Bundle, wheels: Path, tmp_path: Path) -> None:
    (bundle.path / "tokenizer.json").write_bytes(b"[]")
    with pytest.raises(BundleError, match=r"tokenizer\.json: the contents differ"):
        write_context(bundle, target("cpu"), BASE, tmp_path / "out", wheels)
    refused(tmp_path)


def test_a_damaged_wheel_leaves_nothing(bundle: Bundle, wheels: Path, tmp_path: Path) -> None:
    with next(wheels.glob("pip*")).open("ab") as file:
        file.write(b"!")
    with pytest.raises(EdgeKitError, match="is not the file"):
        write_context(bundle, target("cpu"), BASE, tmp_path / "out", wheels)
    refused(tmp_path)


def test_a_folder_that_is_there_stays_as_it_is(bundle: Bundle, wheels: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(EdgeKitError, match="out exists already"):
        write_context(bundle, target("cpu"), BASE, tmp_path / "out", wheels)
    assert not os.listdir(tmp_path / "out")


def test_a_bundle_for_another_target_is_refused(bundle: Bundle, wheels: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="was built for cpu, and not for orin") as error:
        write_context(bundle, target("orin"), BASE, tmp_path / "out", wheels)
    assert "--target cpu" in error.value.hint
    refused(tmp_path)


def test_an_unpinned_base_is_told(bundle: Bundle, wheels: Path, tmp_path: Path) -> None:
    context = write_context(bundle, target("cpu"), Base("ward/base:1", ""), tmp_path / "out", wheels)
    assert context.document()["pinned"] is False
