"""How each of a bundle's plans is asked for: by the target's memory, and by what this machine has free."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.bundle import Bundle, unsealed
from edgekit.engines.backend import Destination
from edgekit.engines.place import Place
from edgekit.engines.tensorrt.api import Flavour
from edgekit.engines.tensorrt.build.job import Options
from edgekit.engines.tensorrt.build.need import Need
from edgekit.engines.tensorrt.build.plan import BuiltPlan
from edgekit.engines.tensorrt.build.plans import build_plans, records
from edgekit.target import Target, target
from edgekit.units import GIB, MIB
from tests.specs import manifest

GRAPHS = ("vision", "projector", "decoder")


def bundle(folder: Path, wanted: Target) -> Bundle:
    return unsealed(folder, manifest(target=wanted, context=320))


def destination(flavour: Flavour = "tensorrt", *, ahead: bool = False) -> Destination:
    return Destination(Place(engine=flavour, version="10.3.0", arch="x86_64", compute_capability="8.6"), ahead)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Options]:
    """How each graph was asked to be built, by its name."""
    found: dict[str, Options] = {}

    def build(
        graph: Path, plan: Path, profiles: object, options: Options, progress: object, variables: object
    ) -> BuiltPlan:
        found[graph.stem] = options
        return BuiltPlan(
            path=plan,
            bytes=7,
            seconds=1.234,
            peak_bytes=5,
            device_peak_bytes=None,
            flavour="tensorrt",
            version="10.3.0",
            weight_bytes=None,
            activation_bytes=(),
            layers=(),
            fused=(),
            warnings=(),
        )

    monkeypatch.setattr("edgekit.engines.tensorrt.build.plans.build_plan", build)
    return found


@pytest.mark.parametrize(
    ("name", "memory", "workspace"),
    [
        ("rtx3050", None, 384 * MIB),
        ("rtx3080", None, GIB),
        ("orin", None, 2 * GIB),  # a sixteenth is 4 GiB
        ("orin", 8 * GIB, 512 * MIB),
        ("orin", 32 * GIB, 2 * GIB),
        ("orin", 31 * GIB, 31 * GIB // 16),
        ("rtx3050", 4 * GIB, 256 * MIB),
        ("rtx3050", 2 * GIB, 256 * MIB),
    ],
)
def test_a_kernel_may_use_a_sixteenth_of_the_target_s_memory_within_bounds(
    name: str, memory: int | None, workspace: int, asked: dict[str, Options], tmp_path: Path
) -> None:
    wanted = target(name)
    build_plans(bundle(tmp_path, replace(wanted, memory_bytes=memory or wanted.memory_bytes)), tmp_path, destination())
    assert {graph: options.workspace_bytes for graph, options in asked.items()} == dict.fromkeys(GRAPHS, workspace)


@pytest.mark.parametrize("slow", [(), ("decoder",), GRAPHS])
def test_what_would_swap_is_optimized_less(
    slow: tuple[str, ...], asked: dict[str, Options], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def need(graph: Path) -> Need:
        assert graph.parent == tmp_path / "graphs"
        return Need(graph.name, 3 * GIB, GIB if graph.stem in slow else 4 * GIB, 8 * GIB)

    monkeypatch.setattr("edgekit.engines.tensorrt.build.plans.need", need)
    build_plans(bundle(tmp_path, target("orin")), tmp_path, destination())
    assert {graph: options.optimization_level for graph, options in asked.items()} == {
        graph: 2 if graph in slow else None for graph in GRAPHS
    }


@pytest.mark.parametrize(
    ("where", "capability", "timed"),
    [
        (destination(), None, True),
        (destination("tensorrt_rtx"), "8.6", True),
        (destination("tensorrt_rtx", ahead=True), "8.6", False),
    ],
    ids=["device", "rtx", "ahead"],
)
def test_a_plan_is_asked_for_by_where_it_is_built(
    where: Destination, capability: str | None, timed: bool, asked: dict[str, Options], tmp_path: Path
) -> None:
    build_plans(bundle(tmp_path, target("rtx3050")), tmp_path, where)
    for options in asked.values():
        assert (options.flavour, options.compute_capability) == (where.place.engine, capability)
        assert (options.timing_cache is not None) == timed
    assert {name: record.seconds for name, record in records(tmp_path).items()} == dict.fromkeys(GRAPHS, 1.23)
