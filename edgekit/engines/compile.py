"""What a device makes of a bundle for itself: a form of its graphs for this very processor or GPU, and its lock."""

from __future__ import annotations

import logging
import os
import shlex
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.bundle import Bundle, verify
from edgekit.engines.backend import PlanRecord, backend_for
from edgekit.engines.believed import believe
from edgekit.engines.lock import engines_folder, folder_of, write_lock
from edgekit.engines.place import Place
from edgekit.errors import EdgeKitError, EngineError
from edgekit.files import new_directory
from edgekit.progress import Progress, silent

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """A compiled form: its folder and bytes, what making it took, and what it is for.

    ``plans``: by name, {} for a form that has none. ``ahead``: they were built where their GPU is not. ``doubts``: what
    is not as it should be with them, a sentence each (:mod:`edgekit.plan.doubts` adds them).
    """

    folder: Path
    bytes: int
    seconds: float
    peak_bytes: int
    place: Place
    plans: Mapping[str, PlanRecord] = field(default_factory=dict)
    ahead: bool = False
    doubts: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return a compiled form as JSON has it."""
        form = {
            "folder": str(self.folder),
            "bytes": self.bytes,
            "seconds": round(self.seconds, 2),
            "peak_bytes": self.peak_bytes,
        }
        return form | self.plans_document() if self.plans else form

    def plans_document(self) -> dict[str, Any]:
        """Return plans as JSON has them: what they are bound to, whether that is another machine, what each took,
        doubts."""
        return {
            "place": config.dump(self.place),
            "ahead": self.ahead,
            "plans": config.dump(self.plans),
            "doubts": list(self.doubts),
        }


@dataclass(frozen=True)
class NotCompiled:
    """``why`` a bundle has no form for this machine; ``tried``: False where this machine is of another kind, or lacks
    what compiling takes."""

    why: EdgeKitError
    tried: bool


def compile_here(bundle: Bundle, progress: Progress = silent) -> Compiled | NotCompiled:
    """Compile where this machine is of the target's kind. The bundle is none the worse where it can't."""
    try:
        backend_for(bundle).destination(bundle)
    except EdgeKitError as error:
        return NotCompiled(error, tried=False)
    try:
        return compile_bundle(bundle, progress)
    except EdgeKitError as error:
        if not bundle.manifest.target.kind.needs_plans:
            _log.warning("%s was not compiled: %s. It runs without.", bundle.path, error.message)
        return NotCompiled(error, tried=True)


def compile_bundle(bundle: Bundle, progress: Progress = silent) -> Compiled:
    """Write this machine's form of ``bundle`` to its ``engines`` folder, in place of an older one.

    :class:`~edgekit.errors.EdgeKitError` where this machine is of another kind, where its runtime can't, where a
    file is not as it was sealed, and where the bundle can't be written to; everything is then as it was before.
    """
    backend = backend_for(bundle)
    destination = backend.destination(bundle)
    engines = engines_folder(bundle)
    if not os.access(engines if engines.is_dir() else bundle.path, os.W_OK):
        raise EngineError(
            f"{bundle.path} can't be written to, and its compiled form would lie there",
            f"Copy the bundle to a disk that can be written to. {backend.without}",
        )
    started = time.monotonic()
    verify(bundle, progress)
    folder = folder_of(bundle, destination.place)
    try:
        with new_directory(folder, replace=True) as beside:
            try:
                outcome = backend.compile(bundle, beside, destination, progress)
                seconds = time.monotonic() - started
                write_lock(bundle, beside, destination.place, outcome.probe, seconds, outcome.peak_bytes)
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
    believe(bundle, folder)
    size = sum(file.stat().st_size for file in folder.iterdir())
    seconds = time.monotonic() - started
    return Compiled(
        folder=folder,
        bytes=size,
        seconds=seconds,
        peak_bytes=outcome.peak_bytes,
        place=destination.place,
        plans=outcome.plans,
        ahead=destination.ahead,
    )


def _replaced(bundle: Bundle) -> EngineError:
    return EngineError(
        f"{bundle.path} was replaced or removed while it was being compiled",
        f"Let one build at a time write there; then run: edgekit compile {shlex.quote(str(bundle.path))}",
    )
