"""The real cuda-python, without a GPU: every name that EdgeKit calls is there, and NVRTC compiles its kernel."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

import edgekit
from edgekit.engines.gpu.cuda import cubin
from edgekit.engines.gpu.scatter import _UNITS, KERNEL, source
from edgekit.errors import EngineError

pytestmark = pytest.mark.system

FOLDER = Path(edgekit.__file__).parent / "engines"
MODULES = {
    "_cuda": "runtime",
    "_runtime": "runtime",
    "runtime": "runtime",
    "_driver": "driver",
    "driver": "driver",
    "_nvrtc": "nvrtc",
}
MODULES |= {"nvrtc": "nvrtc"}


@pytest.fixture
def bindings() -> dict[str, Any]:
    pytest.importorskip("cuda.bindings", reason="cuda-python is not installed", exc_type=ImportError)
    return {name: importlib.import_module(f"cuda.bindings.{name}") for name in ("runtime", "driver", "nvrtc")}


def called(path: Path) -> set[tuple[str, str]]:
    """Attributes of cuda-python's modules, by the names that a file has for them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if owner in MODULES:
                found.add((MODULES[owner], node.attr))
    return found


def test_every_name_is_the_real_ones(bindings: dict[str, Any]) -> None:
    files = [FOLDER.parent / "machine" / "cuda.py", FOLDER / "gpu" / "cuda.py", FOLDER / "onnxruntime" / "arenas.py"]
    names = set().union(*map(called, files))
    assert {("runtime", "cudaMalloc"), ("driver", "cuLaunchKernel"), ("nvrtc", "nvrtcGetCUBIN")} <= names
    assert len(names) > 30
    assert [name for module, name in names if not hasattr(bindings[module], name)] == []


@pytest.mark.parametrize("capability", ["86", "87"])
@pytest.mark.parametrize("unit", _UNITS)
def test_the_writing_kernel_compiles(unit: int, capability: str, bindings: dict[str, Any]) -> None:
    image = cubin(bindings["nvrtc"], source(unit), KERNEL, capability)
    assert image.startswith(b"\x7fELF")
    assert KERNEL.encode() in image


def test_what_does_not_compile_is_an_error(bindings: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="NVRTC failed: NVRTC_ERROR_COMPILATION"):
        cubin(bindings["nvrtc"], "this is no kernel", KERNEL, "86")
