"""What lies on disks: the checkpoint where it is built, and on the device the bundle with what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from packaging.version import InvalidVersion, Version

from edgekit.checkpoint.spec import ModelSpec
from edgekit.engines.coefficients import Coefficients

_BESIDE = 256 * 1024
"""Graphs without their weights, manifest, the gaps between tensors that begin at pages."""

_RECORD = 48 * 1024
"""Of the golden record's answers: the reference's highest logits at some hundred positions."""

_COMPARES = Version("1.32")


@dataclass(frozen=True)
class Disk:
    """Bytes on disks; ``exact`` where the bundle is there to be counted; else it is the weights' arithmetic.

    ``checkpoint_bytes`` is 0 where no checkpoint is at hand. ``engines_bytes``: the compiled form. ``pack_bytes``:
    the bundle as one file to carry, which hardly gets smaller, as weights look random.
    """

    checkpoint_bytes: int
    bundle_bytes: int
    engines_bytes: int
    pack_bytes: int
    exact: bool

    @property
    def device_bytes(self) -> int:
        """The most on the device: the release in use and the next one beside it, both compiled, and its pack."""
        return 2 * (self.bundle_bytes + self.engines_bytes) + self.pack_bytes


def disk(checkpoint_bytes: int, stored: int, tokenizer: int, loaded: int, table: Coefficients) -> Disk:
    """Count it from a checkpoint's bytes, its weights as a bundle stores them, its tokenizer, and what its graphs take
    in memory, which is what the compiled form holds."""
    bundle = stored + tokenizer + _BESIDE
    return Disk(checkpoint_bytes, bundle, _compiled(loaded, table), bundle, exact=False)


def disk_of_bundle(sealed: int, engines: int, loaded: int, table: Coefficients) -> Disk:
    """Count it from a bundle's sealed bytes and those of the compiled forms that lie in it (0: there is none yet)."""
    return Disk(0, sealed, engines or _compiled(loaded, table), sealed, exact=True)


def golden_bytes(spec: ModelSpec) -> int:
    """Estimate what the golden record of four pictures takes: pixels and pictures, and what passes between
    components."""
    size = spec.image.size**2
    pictures = 4 * size * (3 * 2 + 0.5)
    between = 2 * spec.tokens_per_image * (spec.projector.widths[0] + spec.decoder.hidden) * 2
    return round(pictures + between) + 2 * 64 * spec.decoder.hidden * 2 + _RECORD


def _compiled(loaded: int, table: Coefficients) -> int:
    ratio = (table.compiled_twice if _keeps_originals() else table.compiled).ratio
    return round(ratio * loaded) + _BESIDE if ratio else 0


def _keeps_originals() -> bool:
    """Whether the ONNX Runtime that is installed here, or else the newest, compares packed weights with originals.

    The device's own may be another: who plans for it has most likely installed the same.
    """
    runtime = _installed("onnxruntime") or _installed("onnxruntime-gpu")
    return runtime is None or runtime >= _COMPARES


@cache
def _installed(package: str) -> Version | None:
    try:
        return Version(version(package))
    except (PackageNotFoundError, InvalidVersion):
        return None
