"""A fake plan: a small JSON file that says which ONNX graph it is of, its profiles, and for what it was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from edgekit.checkpoint.spec import ModelSpec
from edgekit.engines.tensorrt.shapes import Profile, profiles

VERSION, GPU = "10.3.0", "sm_86"


@dataclass(frozen=True)
class FakePlan:
    """``scratch``: bytes of each profile; ``on_host``: inputs read from the host's memory; ``weights``: bytes.
    ``workspace`` (None: no limit was set) and ``level``: what the builder was told."""

    graph: str
    profiles: Sequence[Profile]
    scratch: Sequence[int]
    version: str = VERSION
    gpu: str = GPU
    on_host: Sequence[str] = ()
    weights: int = 0
    workspace: int | None = None
    level: int = 3

    def dumps(self) -> str:
        return json.dumps(asdict(self))

    def write(self, path: Path) -> None:
        path.write_text(self.dumps())


def plans(graphs: Path, spec: ModelSpec, slots: int, context: int) -> dict[str, FakePlan]:
    """The three plans of a bundle's graphs, for the shapes that EdgeKit builds plans for."""
    scratch = {"vision": [4000], "projector": [100], "decoder": [9000, 300]}
    found = profiles(spec, slots, context)
    return {name: FakePlan(str(graphs / f"{name}.onnx"), found[name], scratch[name]) for name in scratch}


def write_plans(folder: Path, graphs: Path, spec: ModelSpec, slots: int, context: int) -> None:
    """Write them, each as ``NAME.plan``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, plan in plans(graphs, spec, slots, context).items():
        plan.write(folder / f"{name}.plan")
