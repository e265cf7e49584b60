"""Where plans are built and where they run: on the device itself, or ahead for RTX cards, where there is no GPU."""

from __future__ import annotations

import logging

from edgekit.engines.backend import Destination
from edgekit.engines.place import Place
from edgekit.engines.tensorrt.api import Flavour, present
from edgekit.engines.tensorrt.place import like, version_of
from edgekit.errors import EngineError
from edgekit.machine.detect import Machine
from edgekit.machine.gpus import matching, shown_alone, silence, untold
from edgekit.machine.nvml import how_to_tell
from edgekit.machine.system import architecture
from edgekit.target import Target

_log = logging.getLogger(__name__)

AHEAD: Flavour = "tensorrt_rtx"
"""The only one that builds for another GPU than this machine's."""


def destination(target: Target, here: Machine) -> Destination:
    """Return how this machine can build the target's plans.

    :class:`EngineError` where it can't: another processor, or plans that are built on the device alone;
    :class:`~edgekit.errors.MissingExtra` without a TensorRT. A GPU that tells its name alone counts as none.
    """
    if target.arch not in ("any", architecture()):
        raise EngineError(
            f"{target.title} ({target.arch}) builds its engines itself; this machine is {architecture()}",
            "Copy the bundle there, and run: edgekit compile BUNDLE",
        )
    gpus = here.gpus
    alone = shown_alone(gpus, target.compute_capability)
    if matching(gpus, target.compute_capability):
        name = present(None)
        kind = _kind(name, target)
        return Destination(like(kind, here), variables=alone)
    silent = untold(gpus)
    if target.arch != "x86_64":
        if silent:
            raise EngineError(f"{silence(silent)}: it may be {target.title}'s, or another", how_to_tell())
        raise EngineError(
            f"{target.title} builds its engines itself, and this machine has no such GPU",
            "Copy the bundle there, and run: edgekit compile BUNDLE",
        )
    name = present(AHEAD)
    if silent:
        _log.warning("%s: building as for a card that is not here. %s", silence(silent), how_to_tell())
    kind = _kind(name, target)
    return Destination(kind, ahead=True, variables=alone)


def _kind(flavour: Flavour, target: Target) -> Place:
    """What plans for every GPU of the target's kind are bound to."""
    return Place(
        engine=flavour,
        version=version_of(flavour),
        arch=architecture(),
        compute_capability=target.compute_capability,
    )
