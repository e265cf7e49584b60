"""How far a build is, by the phases that TensorRT tells."""

from __future__ import annotations

from edgekit.engines.tensorrt.build.phases import SHARES, Phases


def test_a_share_only_grows() -> None:
    told: list[int] = []
    phases = Phases(lambda done, total: told.append(done))
    phases.start("all", None, 2)
    phases.start("part", "all", 4)
    phases.step("part", 1)
    phases.finish("part")
    phases.start("part", "all", 4)
    phases.step("part", 0)
    phases.step("all", 0)
    phases.step("unknown", 3)
    phases.step("all", 1)
    phases.complete()
    assert told == [0, 250, 500, SHARES - 1, SHARES]
