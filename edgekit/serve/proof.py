"""What a service has to prove where somebody waits for it to be ready: that the GPU answers which its model is for.

A GPU that is not there leaves the processor to answer, slowly, which nobody who installed a service wants unseen. So
where systemd started it, or a container did, a model for a GPU is served by that GPU or not at all.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import cast

from edgekit import machine
from edgekit.bundle import MANIFEST, Bundle, open_bundle
from edgekit.check.once import require_true_answer
from edgekit.engines.base import PartedEngine
from edgekit.engines.place import gpu_for
from edgekit.errors import BundleError, EngineError, GateRefused
from edgekit.runtime.model import Model
from edgekit.serve.logs import log
from edgekit.serve.systemd import is_waited_for

PROVE = "EDGEKIT_PROVE"
"""The variable by which a container, where no systemd waits, has the service prove itself."""


def open_proven(path: Path, slots: int | None) -> Model:
    """Open a bundle to be served; where systemd waits for that, or a container, it has proved itself. Errors as of
    opening it, :func:`require_gpu` and :func:`prove`; a bundle that is there and damaged is refused as by a gate: to
    start again would not mend it.
    """
    is_asked = is_waited_for() or bool(os.environ.get(PROVE))
    try:
        if is_asked:
            require_gpu(open_bundle(path))
        model = Model.open(path, slots)
    except BundleError as error:
        if (path / MANIFEST).is_file():
            raise GateRefused(error.message, error.hint) from error
        raise  # its disk may come yet
    try:
        if is_asked:
            prove(model)
    except BaseException:
        model.engine.close()
        raise
    return model


def require_gpu(bundle: Bundle) -> None:
    """Raise :class:`EngineError` where ``bundle`` is for a GPU that this machine does not show."""
    target = bundle.manifest.target
    if target.kind.on_gpu and gpu_for(target, machine.look()) is None:
        raise _absent(bundle)


def prove(model: Model) -> None:
    """Have a model for a GPU give one true answer there; one for a processor is believed, as its files are compared.

    :class:`EngineError` where a processor answers in the GPU's place, :class:`~edgekit.errors.GateRefused` where the
    answer is not what it was.
    """
    if not model.bundle.manifest.target.kind.on_gpu:
        return
    engine = cast(PartedEngine, model.engine)  # as it was opened
    if not engine.on_gpu:
        raise _absent(model.bundle)
    begun = time.monotonic()
    require_true_answer(model.bundle, engine)
    log.info("The GPU answers a golden question as it did: in %.1f s", time.monotonic() - begun)


def _absent(bundle: Bundle) -> EngineError:
    name = bundle.manifest.target.name
    return EngineError(
        f"{bundle.path} is for {bundle.manifest.target.title}, and that GPU is not here: the processor is no service",
        f"Run: edgekit doctor --target {name}",
    )
