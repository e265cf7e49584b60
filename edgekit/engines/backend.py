"""What a kind of engine can do, whichever it is: one protocol, and the one way to who implements it.

A backend is the ``BACKEND`` of a package's module ``backend``; :mod:`edgekit.target.kinds` names the package. It is
loaded when it is asked for: answering on a processor loads nothing of what runs on GPUs.
"""

from __future__ import annotations

import importlib
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from edgekit.bundle import Bundle
from edgekit.checkpoint.spec import ModelSpec
from edgekit.engines.base import PartedEngine
from edgekit.engines.place import Place
from edgekit.progress import Progress
from edgekit.target.kinds import EngineKind


@dataclass(frozen=True)
class Destination:
    """Where a form is compiled: ``place`` is what it will be bound to; ``ahead``: the device that is to run it is not
    here. ``variables``: what the process that compiles needs in its environment, so that it takes the right GPU."""

    place: Place
    ahead: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PlanRecord:
    """What building one plan took, and what the builder told about it.

    - ``bytes``, ``seconds``: the plan's size, and how long building it took
    - ``peak_bytes``, ``device_peak_bytes``: memory that building took, the host's (mapped files included) and the GPU's
    - ``weight_bytes``, ``activation_bytes`` of each profile: the GPU's memory that running takes
    - ``fused``: layers of fused attention in each profile, or in all together where they can't be told apart
    - ``warnings``: the builder's own

    None and () are where the builder doesn't tell.
    """

    bytes: int
    seconds: float
    peak_bytes: int
    device_peak_bytes: int | None
    weight_bytes: int | None
    activation_bytes: tuple[int, ...]
    fused: tuple[int, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """Of compiling: the peak of the memory that it took, what the form's probe answers ("" without one), and its plans
    by name."""

    peak_bytes: int
    probe: str = ""
    plans: Mapping[str, PlanRecord] = field(default_factory=dict)


class Backend(ABC):
    """Finds, compiles, opens and describes what runs a bundle. Errors are
    :class:`~edgekit.errors.EdgeKitError` and say what to do.

    ``title`` is what people call the engine, ``without`` a sentence: how a device fares that has no compiled form.
    """

    title: str
    without: str

    @abstractmethod
    def open(self, bundle: Bundle, slots: int) -> PartedEngine | None:
        """Open the engine for the target's device, over the compiled form where there is one; None where this machine
        is another, and where there is no form that can be used and graphs do without."""

    @abstractmethod
    def open_graphs(self, bundle: Bundle, slots: int) -> PartedEngine:
        """Open the bundle's own graphs on this machine's processor, whatever device they are for."""

    @abstractmethod
    def destination(self, bundle: Bundle) -> Destination:
        """Return how this machine compiles; an error where it is of another kind, or lacks what that takes."""

    @abstractmethod
    def compile(self, bundle: Bundle, folder: Path, destination: Destination, progress: Progress) -> Outcome:
        """Fill the empty ``folder`` with the form of a verified bundle."""

    @abstractmethod
    def like(self, place: Place) -> Place:
        """Return what this machine has of the kind of ``place``."""

    @abstractmethod
    def version(self) -> str:
        """Return the release of the runtime that is installed here; "" where there is none."""

    def shapes(self, bundle: Bundle) -> dict[str, int]:
        """Return the sizes that a form can be run with; {} for any."""
        return {}

    def probe(self, folder: Path) -> str:
        """Return what a form's probe answers here, where the lock has an answer to hold it to."""
        return ""

    def kept_files(self) -> dict[str, str]:
        """Return the sealed files, none of them JSON, that may lie beside a form without standing in its lock, each
        with what to do where one is damaged."""
        return {}

    def records(self, folder: Path) -> dict[str, PlanRecord]:
        """Return what building the plans in ``folder`` took; {} for a form that has none."""
        return {}

    def doubts(self, bundle: Bundle, records: Mapping[str, PlanRecord], planned: Mapping[str, int]) -> tuple[str, ...]:
        """Return a sentence for each thing that is not as it should be with plans; ``planned`` has the bytes of
        components."""
        return ()

    def attention(self, spec: ModelSpec) -> dict[str, int]:
        """Return the layers of attention that each graph's plan could fuse, in all its profiles together."""
        return {}

    def runtime_title(self, place: Place) -> str:
        """Return what people call the runtime that a place names, without its version."""
        return place.engine

    def installation(self, place: Place) -> str:
        """Return the command that brings a device the very release that a place names; "" where there is none."""
        return ""

    def next_step(self, bundle: Bundle, compile_bytes: int) -> str:
        """Return what is still to do before a device answers by plans, where this machine was none to build them on;
        ``compile_bytes`` of memory is what building them is planned to take."""
        return f"Still to do, on the device: {compile_command(bundle)}"


def compile_command(bundle: Bundle) -> str:
    """Return what one types to compile a bundle."""
    return f"edgekit compile {shlex.quote(str(bundle.path))}"


def backend_of(kind: EngineKind) -> Backend:
    """Load what implements a kind of engine."""
    return cast(Backend, importlib.import_module(f"{kind.backend}.backend").BACKEND)


def backend_for(bundle: Bundle) -> Backend:
    """Load what runs a bundle's graphs on the device that it is for."""
    return backend_of(bundle.manifest.target.kind)
