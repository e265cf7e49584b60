"""Which TensorRT is taken, and what is said where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgekit.engines.tensorrt.api import flavour, present
from edgekit.errors import EngineError
from edgekit.machine.detect import Machine
from tests.simulated_tensorrt import builder


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of both modules, simulated, which Python imports from."""
    builder.install(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_tensorrt_comes_before_tensorrt_rtx(fakes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert present(None) == "tensorrt"
    assert present("tensorrt_rtx") == "tensorrt_rtx"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "tensorrt_rtx" or None)
    assert present(None) == "tensorrt_rtx"


def test_the_module_is_loaded_with_its_version(fakes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tensorrt", raising=False)
    api = flavour("tensorrt")
    monkeypatch.delitem(sys.modules, "tensorrt")
    assert (api.name, api.version, api.title) == ("tensorrt", (10, 3, 0), "TensorRT 10.3.0")


def test_a_jetson_is_told_where_its_tensorrt_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgekit.engines.tensorrt.api.importlib.util.find_spec", lambda name: None)
    orin = Machine(
        system="Linux",
        arch="aarch64",
        cpu="ARMv8",
        cores=12,
        features=(),
        memory_bytes=61 * 2**30,
        jetson="NVIDIA Jetson AGX Orin",
        l4t="36.4.3",
    )
    monkeypatch.setattr("edgekit.machine.look", lambda: orin)
    with pytest.raises(EngineError, match="JetPack") as told:
        present(None)
    assert "--system-site-packages" in told.value.hint
