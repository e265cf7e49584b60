"""A container's start makes the bundle ready, or says why not: a GPU's bundle is never left to a processor."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit import machine
from edgekit.bundle import Bundle
from edgekit.deploy.container import start
from edgekit.errors import EngineError
from edgekit.machine.detect import Machine
from edgekit.serve.proof import PROVE
from edgekit.target import target
from tests import specs


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    compiled: list[Path] = []
    monkeypatch.setattr(start, "compile_where_lacking", lambda bundle, progress: compiled.append(bundle.path))
    return compiled


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return specs.manifest_alone(tmp_path / "bundle")


def test_it_compiles_into_the_volume(bundle: Bundle, tmp_path: Path, compiled: list[Path]) -> None:
    for name in ("engines", "profiles"):
        (bundle.path / name).symlink_to(tmp_path / "data" / "added" / name / "digest")
    start.prepare(bundle)
    assert compiled == [bundle.path]
    assert (bundle.path / "engines").is_dir()
    assert (tmp_path / "data" / "added").stat().st_mode & 0o777 == 0o700
    start.prepare(bundle)  # again: what is there stays


def test_a_gpu_that_is_not_there_ends_it(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, compiled: list[Path]) -> None:
    here: Machine = replace(machine.look(), gpus=())
    monkeypatch.setattr(machine, "look", lambda: here)
    for_gpu = replace(bundle, manifest=replace(bundle.manifest, target=target("rtx3050")))
    with pytest.raises(EngineError, match="shown no GPU of the target rtx3050") as refused:
        start.prepare(for_gpu)
    assert "NVIDIA runtime" in refused.value.hint
    assert not compiled


def test_the_service_takes_its_place(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, compiled: list[Path]) -> None:
    became: list[list[str]] = []
    told: list[str] = []

    def become(path: str, words: list[str], variables: dict[str, str]) -> None:
        became.append([path, *words])
        told.extend((variables[PROVE], variables["EDGEKIT_PORT"]))

    monkeypatch.setattr(os, "execve", become)
    monkeypatch.setenv("EDGEKIT_PORT", "8443")
    start.main(bundle.path)
    (words,) = became
    assert words[:6] == [sys.executable, sys.executable, "-s", "-m", "edgekit", "serve"]
    assert words[6:] == [str(bundle.path), "--host", "127.0.0.1", "--port", "8443"]
    assert told == ["1", "8443"]
    handler = signal.getsignal(signal.SIGTERM)
    assert callable(handler)
    with pytest.raises(SystemExit) as ended:
        handler(signal.SIGTERM, None)
    assert ended.value.code == 143


def test_a_bundle_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        start.main(tmp_path / "nothing")
    assert "is not a bundle" in str(ended.value.code)
    assert "Traceback" not in str(ended.value.code)
