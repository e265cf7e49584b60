"""What a device has found out about its kernels, kept for later: it saves time, and no more.

The user's cache holds, under a place's fingerprint, TensorRT's timings of a build (``~/.cache/edgekit/timings``) and
TensorRT-RTX's kernels where a bundle can't (``~/.cache/edgekit/runtime``): a device's own, whatever bundle they were
made with.

The runtime cache of TensorRT-RTX: kernels that it compiles for this GPU when a plan is opened, kept for next time.

One cache serves all plans, in ``kernels.cache`` beside them, or in the user's cache where the bundle can't be written
to. It is only ever a saving: one that can't be read, is damaged or was made elsewhere is passed over, and one that
can't be written is not. A GPU runs what is in it, so it lies behind its SHA-256 (:mod:`edgekit.config.seal`). TensorRT
itself has none. (``runtime.cache``, of an EdgeKit that did not seal it, is not read any more.)
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Literal

from edgekit.config.seal import unwrap, wrap
from edgekit.errors import EdgeKitError, gist
from edgekit.files import write_bytes, writing

FILE = "kernels.cache"
_log = logging.getLogger(__name__)


class RuntimeCache:
    """Reads the cache of the plans in ``folder`` when the first of them asks for it, and writes it where it has become
    another."""

    def __init__(self, folder: Path) -> None:
        beside, own = folder / FILE, kept("runtime", folder.name)
        places = [beside, own] if own else [beside]
        self._places = places if os.access(folder, os.W_OK) else places[::-1]
        self._cache: Any = None
        self._kept = b""

    def attach(self, config: Any) -> None:
        """Give an ``IRuntimeConfig`` the cache; a config without one (TensorRT's own) stays as it is."""
        if not hasattr(config, "create_runtime_cache"):
            return
        if self._cache is None:
            self._cache = config.create_runtime_cache()
            self._read()
        config.set_runtime_cache(self._cache)

    def _read(self) -> None:
        """Take the first that is usable: the one that is written to goes before one that came with the bundle."""
        for path in self._places:
            try:
                kernels = unwrap(path.read_bytes())
            except OSError:  # there is none yet
                continue
            try:
                usable = kernels and self._cache.deserialize(kernels)
            except Exception as error:  # whatever the binding raises
                _log.debug("%s: %s", path, gist(str(error)))
                usable = False
            if kernels and usable:
                self._kept = kernels
                return
            _log.info("%s is damaged or of another GPU or version, and is made anew", path)

    def keep(self) -> None:
        """Write the cache where it holds something else than what was read."""
        if self._cache is None:
            return
        try:
            serialized = self._cache.serialize()
            kernels = b"" if serialized is None else bytes(serialized)
        except Exception as error:  # whatever the binding raises, after a failure of the GPU for one
            # Its words alone: whoever keeps the record would keep the frames of the traceback, and the GPU's objects.
            _log.info("The runtime cache can't be kept: %s", gist(str(error)))
            return
        if not kernels or kernels == self._kept:
            return
        try:
            with writing(self._places[0]):
                self._places[0].parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self._places[0], wrap(kernels))
            self._kept = kernels
        except EdgeKitError as error:  # a full disk, or no home to write to either
            _log.info("%s. The next start compiles its kernels again.", error.message)

    def close(self) -> None:
        self._cache = None


def kept(kind: Literal["timings", "runtime"], fingerprint: str) -> Path | None:
    """Return the file for a place's fingerprint; None for a user without a home, as in a container."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ".cache" / "edgekit" / kind / fingerprint
