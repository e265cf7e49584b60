"""`edgekit profile` on a machine with any NVIDIA card and the extra ``gpu``: both sides of memory, by the driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.profile import against_plan, profile
from edgekit.recipe import recipe
from tests.accelerator import target_here

pytestmark = [pytest.mark.device, pytest.mark.usefixtures("cuda_provider"), pytest.mark.filterwarnings("default")]


def test_a_card_and_its_host_are_measured_each_for_itself(tmp_path: Path) -> None:
    wanted = target_here("onnxruntime-cuda", slots=2)
    if wanted.unified:
        pytest.skip("This GPU has no memory of its own: there is one side, not two.")
    bundle = build(embedded(), wanted, recipe("q4"), tmp_path / "q4").bundle
    made = profile(bundle, seconds=0.1)
    assert [side.name for side in made.memory.sides] == ["device", "host"]
    assert made.device.gpu == wanted.title
    assert made.device.driver
    device, host = made.memory.sides
    assert made.memory.components["kv_arena"] < device.static_bytes <= device.dynamic_bytes
    assert 0 < host.static_bytes <= host.dynamic_bytes
    assert max(moment.device_bytes for moment in made.memory.moments) <= device.dynamic_bytes
    assert made.before.power_w is not None
    for one in against_plan(made):
        print(one.name, one.planned, one.measured)  # every CUDA coefficient is an assumption until this was read
