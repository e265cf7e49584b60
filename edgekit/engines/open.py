"""Which engine runs a bundle on this machine, and in which form of its graphs."""

from __future__ import annotations

import ctypes
from contextlib import suppress

from edgekit.bundle import Bundle
from edgekit.engines.backend import backend_for
from edgekit.engines.base import PartedEngine


def open_engine(bundle: Bundle, slots: int) -> PartedEngine:
    """Open the engine that the bundle's target names, with ``slots`` rows of KV.

    On a CPU it maps the compiled form where there is one for this machine; for TensorRT it takes the plans that are for
    this machine's GPU. Where there is no such GPU, the processor runs the graphs, slowly, so that a bundle can be
    looked at anywhere; where there is, nothing takes the place of plans that are missing or wrong.
    :class:`~edgekit.errors.EngineError` or :class:`~edgekit.errors.MissingExtra` where this machine can't.
    """
    engine = backend_for(bundle).open(bundle, slots) or engine_here(bundle, slots)
    give_back_freed_memory()
    return engine


def engine_here(bundle: Bundle, slots: int = 1) -> PartedEngine:
    """Open the bundle's own graphs on this machine's processor, whatever device they are for: every machine has one."""
    return backend_for(bundle).open_graphs(bundle, slots)


def give_back_freed_memory() -> None:
    """Give back what packing took while loading, up to 250 MiB: glibc would keep it for later, and nothing wants it."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)
