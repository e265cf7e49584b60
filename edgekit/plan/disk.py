"""What lies on disks: the checkpoint where it is built, and on the device the bundle with what is made of it."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.plan.coefficients import Coefficients

_BESIDE = 256 * 1024
"""Graphs without their weights, manifest, the gaps between tensors that begin at pages."""


@dataclass(frozen=True)
class Disk:
    """Bytes. ``exact`` where the bundle is there to be counted; else it is the weights' arithmetic.

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


def disk(checkpoint_bytes: int, stored: int, tokenizer: int, loaded: int, known: Coefficients) -> Disk:
    """From a checkpoint's bytes, its weights as a bundle stores them, its tokenizer, and what its graphs take in
    memory, which is what the compiled form holds."""
    bundle = stored + tokenizer + _BESIDE
    return Disk(checkpoint_bytes, bundle, _compiled(loaded, known), bundle, exact=False)


def disk_of_bundle(sealed: int, engines: int, loaded: int, known: Coefficients) -> Disk:
    """From a bundle's sealed bytes and those of the compiled forms that lie in it (0: there is none yet)."""
    return Disk(0, sealed, engines or _compiled(loaded, known), sealed, exact=True)


def _compiled(loaded: int, known: Coefficients) -> int:
    return round(known.compiled.ratio * loaded) + _BESIDE if known.compiled.ratio else 0
