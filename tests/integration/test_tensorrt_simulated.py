"""The embedded model through the TensorRT engine on a simulated GPU: the answers that the bundle was built with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.bundle import open_bundle
from edgekit.check import check
from edgekit.engines.standard import StandardEngine
from edgekit.engines.tensorrt.engine import TensorRtEngine
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.recipe import recipe
from edgekit.target import target
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import FakeTensorRt
from tests.simulated_tensorrt.plan import write_plans


@pytest.mark.parametrize("name", ["fp16", "q8", "q4"])
def test_a_bundle_answers_as_it_was_built_to(name: str, tmp_path: Path) -> None:
    wanted = replace(target("rtx3050"), engine="tensorrt")
    bundle = open_bundle(build(embedded(), wanted, recipe(name), tmp_path / "bundle").bundle.path)
    manifest, graphs = bundle.manifest, bundle.path / "graphs"
    slots, context = manifest.target.slots, manifest.context
    write_plans(tmp_path / "plans", graphs, manifest.spec, slots, context)
    device = FakeDevice()
    engine = TensorRtEngine(
        bundle, tmp_path / "plans", FakeTensorRt(device), slots, context, StandardEngine.chunk, device
    )
    plain = StandardEngine(bundle, graphs, slots)
    try:
        checked = check(bundle, engine)
        assert checked.passed
        tokens = [int(token) for token in np.random.default_rng(0).integers(5, manifest.spec.decoder.vocab, 300)]
        for one in (engine, plain):
            one.prefill(0, one.embed(tokens), 0)
            one.prefill(1, one.embed(tokens[:7]), 0)
        found, expected = (one.decode([9, 8], [1, 0]) for one in (engine, plain))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-2 * np.abs(expected).max())
    finally:
        engine.close()
        plain.close()
    assert not device.memory
