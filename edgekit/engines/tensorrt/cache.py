"""The runtime cache of TensorRT-RTX: kernels that it compiles for this GPU when a plan is opened, kept for next time.

One cache serves all plans, in ``runtime.cache`` beside them. It is only ever a saving: one that can't be read, is
damaged or was made elsewhere is passed over, and one that can't be written is not. TensorRT itself has none.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from edgekit.errors import EdgeKitError
from edgekit.files import write_bytes

FILE = "runtime.cache"
_log = logging.getLogger(__name__)


class RuntimeCache:
    """Reads ``folder/runtime.cache`` when the first plan asks for it, and writes it where it has become another."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
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
        try:
            found = self._path.read_bytes()
        except OSError:  # there is none yet
            return
        try:
            usable = found and self._cache.deserialize(found)
        except Exception as error:  # whatever the binding raises
            _log.debug("%s: %s", self._path, error)
            usable = False
        if usable:
            self._kept = found
        else:
            _log.info("%s is damaged or of another GPU or version, and is made anew", self._path)

    def keep(self) -> None:
        """Write the cache where it holds something else than the file."""
        if self._cache is None:
            return
        try:
            made = self._cache.serialize()
            found = b"" if made is None else bytes(made)
        except Exception as error:  # whatever the binding raises, after a failure of the GPU for one
            _log.info("The runtime cache can't be kept: %s", error)
            return
        if not found or found == self._kept:
            return
        try:
            write_bytes(self._path, found)
            self._kept = found
        except EdgeKitError as error:  # a bundle on a disk that can't be written to
            _log.info("%s The next start compiles its kernels again.", error.message)

    def close(self) -> None:
        self._cache = None
