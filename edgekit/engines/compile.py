"""What a device makes of a bundle for itself: graphs in their final form, their weights packed for its processor.

On a CPU, ONNX Runtime repacks weights as it loads them and keeps them in memory of the process. The compiled form
holds them as its kernels want them, to be mapped: a start takes next to no memory of its own, and processes share
the rest. It is made in a process of its own, so that a crash of the runtime is one clear error, and what it takes
is known. :mod:`edgekit.engines.onnxruntime.packing` is how.
"""

from __future__ import annotations

import logging
import os
import platform
import shlex
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgekit.bundle import Bundle, verify
from edgekit.child import listen, python
from edgekit.engines.lock import folder_of, write_lock
from edgekit.engines.onnxruntime.engine import require_kernels
from edgekit.engines.place import Place, here
from edgekit.engines.tensorrt.build.plans import Record, build_plans
from edgekit.engines.tensorrt.build.site import Site, site
from edgekit.errors import EdgeKitError, EngineError
from edgekit.files import new_directory
from edgekit.progress import Progress, silent

_log = logging.getLogger(__name__)
_WITHOUT = "A processor can go on without: it only saves memory."
_WITHOUT_PLANS = "Without engines a device with that GPU does not answer."


@dataclass(frozen=True)
class Compiled:
    """A compiled form: its folder and bytes, what making it took, and what it is for.

    ``plans``: TensorRT's, {} for a processor's form. ``ahead``: they were built where their GPU is not. ``doubts``:
    what is not as it should be with them, a sentence each (:mod:`edgekit.plan.doubts` adds them).
    """

    folder: Path
    bytes: int
    seconds: float
    peak_bytes: int
    place: Place
    plans: Mapping[str, Record] = field(default_factory=dict)
    ahead: bool = False
    doubts: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """A compiled form as JSON has it."""
        form = {
            "folder": str(self.folder),
            "bytes": self.bytes,
            "seconds": round(self.seconds, 2),
            "peak_bytes": self.peak_bytes,
        }
        return form | self.plans_document() if self.plans else form

    def plans_document(self) -> dict[str, Any]:
        """Plans as JSON has them: what they are bound to, whether that is another machine, what each took, doubts."""
        return {"place": self.place, "ahead": self.ahead, "plans": dict(self.plans), "doubts": list(self.doubts)}


@dataclass(frozen=True)
class NotCompiled:
    """``why`` a bundle has no form for this machine; ``tried``: False where this machine is of another kind, or lacks
    what compiling takes."""

    why: EdgeKitError
    tried: bool


def compile_here(bundle: Bundle, progress: Progress = silent) -> Compiled | NotCompiled:
    """Compile where this machine is of the target's kind. The bundle is none the worse where it can't."""
    try:
        _where(bundle)
    except EdgeKitError as error:
        return NotCompiled(error, tried=False)
    try:
        return compile_bundle(bundle, progress)
    except EdgeKitError as error:
        if bundle.manifest.target.engine != "tensorrt":
            _log.warning("%s was not compiled: %s. It runs without.", bundle.path, error.message)
        return NotCompiled(error, tried=True)


def compile_bundle(bundle: Bundle, progress: Progress = silent) -> Compiled:
    """Write this machine's form of ``bundle`` to its ``engines`` folder, in place of an older one.

    :class:`~edgekit.errors.EdgeKitError` where this machine is of another kind, where its runtime can't, where a
    file is not as it was sealed, and where the bundle can't be written to; everything is then as it was before.
    """
    where = _where(bundle)
    require_kernels(bundle.manifest.recipe)
    if not os.access(bundle.path, os.W_OK):
        raise EngineError(
            f"{bundle.path} can't be written to, and its compiled form would lie there",
            f"Copy the bundle to a disk that can be written to. {_WITHOUT_PLANS if where else _WITHOUT}",
        )
    started = time.monotonic()
    verify(bundle, progress)
    place = where.place if where else here()
    folder = folder_of(bundle, place)
    try:
        with new_directory(folder, replace=True) as beside:
            try:
                probe, peak, plans = "", 0, {}
                if where:
                    plans = build_plans(bundle, beside, where, progress)
                    peak = max(one.peak_bytes for one in plans.values())
                else:
                    probe, peak = _pack(bundle, beside, progress)
                write_lock(bundle, beside, place, probe, time.monotonic() - started, peak)
            except EdgeKitError as error:
                if not beside.exists():
                    raise _replaced(bundle) from error
                # Whoever reads this finds no folder of that name.
                error.message = error.message.replace(str(beside), str(folder))
                error.hint = error.hint.replace(str(beside), str(bundle.path))
                raise
    finally:
        with suppress(OSError):
            folder.parent.rmdir()  # only if it is empty
    size = sum(file.stat().st_size for file in folder.iterdir())
    seconds = time.monotonic() - started
    return Compiled(folder, size, seconds, peak, place, plans, bool(where and where.ahead))


def _where(bundle: Bundle) -> Site | None:
    """How TensorRT can build here; None for this machine's processor. :class:`EdgeKitError` where this machine is of
    another kind, or has no TensorRT."""
    target = bundle.manifest.target
    path = shlex.quote(str(bundle.path))
    if target.engine == "tensorrt":
        try:
            return site(target)
        except EdgeKitError as error:
            error.hint = error.hint.replace("BUNDLE", path)  # a site knows the target alone
            raise
    if target.engine != "onnxruntime":
        raise EngineError(
            f"{target.title} runs a bundle as it is: there is nothing to compile",
            f"Run it: edgekit ask {path} QUESTION",
        )
    if target.arch not in ("any", platform.machine()):
        raise EngineError(
            f"{bundle.path} is for {target.title} ({target.arch}); this machine is {platform.machine()}",
            "Compile it on the device.",
        )
    return None


def _pack(bundle: Bundle, folder: Path, progress: Progress) -> tuple[str, int]:
    """Pack in a child process; what the probe answers, and the child's peak memory in bytes."""
    command = python("edgekit.engines.onnxruntime.packing", str(bundle.path), str(folder))
    probe, peak = listen(command, "Compiling", progress)
    return probe, peak


def _replaced(bundle: Bundle) -> EngineError:
    return EngineError(
        f"{bundle.path} was replaced or removed while it was being compiled",
        f"Let one build at a time write there; then run: edgekit compile {shlex.quote(str(bundle.path))}",
    )
