"""Which TensorRT there is: the module ``tensorrt`` or ``tensorrt_rtx``, and whether it is new enough.

Both offer one Python API. Neither has stubs, so what comes out is ``Any``: the border where types end.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from packaging.version import InvalidVersion, Version

from edgekit import machine
from edgekit.errors import EngineError, MissingExtra, gist

Flavour: TypeAlias = Literal["tensorrt", "tensorrt_rtx"]

TITLES: Final[dict[Flavour, str]] = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT-RTX"}
_EXTRAS: Final[dict[Flavour, str]] = {"tensorrt": "tensorrt", "tensorrt_rtx": "rtx"}
OLDEST: Final[dict[Flavour, tuple[int, ...]]] = {"tensorrt": (10, 3), "tensorrt_rtx": (1, 7)}
_NEWER: Final[dict[Flavour, str]] = {
    "tensorrt": "On a Jetson, JetPack 6.2 brings 10.3; elsewhere run: pip install 'edgekit[tensorrt]'",
    "tensorrt_rtx": "Run: pip install 'edgekit[rtx]'",
}


@dataclass(frozen=True)
class Api:
    """A TensorRT that is new enough: its module, the module's name, and its version, (10, 3, 0) or (1, 7, 1, 116)."""

    module: Any
    name: Flavour
    version: tuple[int, ...]

    @property
    def title(self) -> str:
        """What people call it, with its version: "TensorRT 10.3.0"."""
        return f"{TITLES[self.name]} {'.'.join(map(str, self.version))}"


def present(wanted: Flavour | None) -> Flavour:
    """Return the flavour that there is, without loading it: ``wanted``, or else TensorRT before TensorRT-RTX.

    :class:`MissingExtra` where it is absent, :class:`EngineError` on a Jetson, whose system brings it, and for whose
    GPU TensorRT-RTX does not build.
    """
    for name in (wanted,) if wanted else TITLES:
        if importlib.util.find_spec(name) and (wanted or name == "tensorrt" or not machine.look().jetson):
            return name
    missing = wanted or "tensorrt"
    if machine.look().jetson:
        raise EngineError(
            f"{TITLES[missing]} is not to be found; on a Jetson it comes with JetPack",
            "Run: sudo apt install nvidia-jetpack; a virtual environment sees it only with --system-site-packages.",
        )
    raise MissingExtra(f"Compiling with {TITLES[missing]}", _EXTRAS[missing])


def flavour(wanted: Flavour | None = None) -> Api:
    """Load the flavour ``wanted``, or else TensorRT before TensorRT-RTX.

    :class:`MissingExtra` where it is absent; :class:`EngineError` where it can't be loaded or is too old.
    """
    name = present(wanted)
    try:
        module: Any = importlib.import_module(name)
        release = Version(module.__version__).release
    except (ImportError, OSError, AttributeError, InvalidVersion) as error:  # OSError: a library of its own is missing
        raise EngineError(
            f"{TITLES[name]} is installed but can't be loaded: {gist(str(error))}", f"Install it again. {_NEWER[name]}"
        ) from error
    api = Api(module, name, release)
    if release < OLDEST[name]:
        oldest = ".".join(map(str, OLDEST[name]))
        raise EngineError(f"{api.title} is too old: EdgeKit needs {oldest} or newer", _NEWER[name])
    return api
