"""The embedded model through the TensorRT engine on a simulated GPU: the answers that the bundle was built with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.bundle import open_bundle
from edgekit.check import check
from edgekit.cli.main import main
from edgekit.engines.lock import folder_of, write_lock
from edgekit.engines.onnxruntime.standard import StandardEngine
from edgekit.engines.open import open_engine
from edgekit.engines.place import Place
from edgekit.engines.tensorrt.api import Api
from edgekit.engines.tensorrt.engine import TensorRtEngine
from edgekit.errors import EngineError
from edgekit.machine.detect import detect
from edgekit.machine.gpus import Gpu
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.plan import plan
from edgekit.recipe import recipe
from edgekit.target import target
from edgekit.target.kinds import KINDS
from tests.edited import unsealed
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.machine import CARD, simulate
from tests.simulated_tensorrt.module import FakeTensorRt
from tests.simulated_tensorrt.plan import write_plans


@pytest.mark.parametrize("name", ["fp16", "q8", "q4"])
def test_a_bundle_answers_as_it_was_built_to(name: str, tmp_path: Path) -> None:
    bundle = open_bundle(build(embedded(), target("rtx3050"), recipe(name), tmp_path / "bundle").bundle.path)
    manifest, graphs = bundle.manifest, bundle.path / "graphs"
    slots, context = manifest.target.slots, manifest.context
    write_plans(tmp_path / "plans", graphs, manifest.spec, slots, context)
    device = FakeDevice()
    engine = TensorRtEngine(
        bundle, tmp_path / "plans", FakeTensorRt(device), slots, context, KINDS["tensorrt"].chunk, device
    )
    plain = StandardEngine(bundle, graphs, slots)
    try:
        checked = check(bundle, engine)
        assert checked.passed
        tokens = [int(token) for token in np.random.default_rng(0).integers(5, manifest.spec.decoder.vocab, 300)]
        for one in (engine, plain):
            one.prefill(0, one.embed(tokens), 0)
            one.prefill(1, one.embed(tokens[:7]), 0)
        found, expected = (runner.decode([9, 8], [1, 0]) for runner in (engine, plain))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-2 * np.abs(expected).max())
    finally:
        engine.close()
        plain.close()
    assert not device.memory


def test_a_device_goes_the_whole_way_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Build, compile in a child process, open what the lock says is right, and check."""
    module = simulate(tmp_path, monkeypatch, CARD)
    out = tmp_path / "bundle"
    assert main(["build", "--target", "rtx3050", "--out", str(out)]) == 0
    assert "engines are built, for this machine's NVIDIA GeForce RTX 3050" in " ".join(capsys.readouterr().out.split())
    assert main(["check", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["passed"], found["stood_in"]) == (True, False)
    assert (found["device"]["engine"], found["device"]["gpu"]) == ("tensorrt", CARD.name)
    assert module.device.launches > 0
    (folder,) = (out / "engines").iterdir()
    lock = json.loads((folder / "lock.json").read_text())
    assert (lock["place"]["device"], lock["place"]["driver"]) == (CARD.name, CARD.driver)
    (folder / "decoder.plan").write_bytes(b"half of it")
    asked = ["check", str(out), "--no-verify"], ["ask", str(out), "Why?"], ["profile", str(out)]
    for command in (["check", str(out)], *asked):
        assert main(command) == 1  # nothing takes the place of an engine that is wrong
        err = " ".join(capsys.readouterr().err.split())
        assert ("no engines for" in err) == (command in asked)
        assert f"{folder}: decoder.plan of the compiled form is missing or of another size" in err
        assert f"edgekit compile {out}" in err
    assert main(["check", str(out), "--processor"]) == 1  # what travels with a bundle is checked, used here or not
    capsys.readouterr()
    assert main(["check", str(out), "--processor", "--no-verify", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["stood_in"], found["device"]["engine"], found["device"]["gpu"]) == (True, "onnxruntime", "")
    assert main(["compile", str(out)]) == 0
    capsys.readouterr()
    assert main(["check", str(out), "--json"]) == 0
    assert not json.loads(capsys.readouterr().out)["stood_in"]


def test_a_device_opens_the_plans_that_are_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = open_bundle(build(embedded(), target("rtx3050"), recipe("q4"), tmp_path / "bundle").bundle.path)
    slots, context = bundle.manifest.target.slots, bundle.manifest.context
    card = Place(
        engine="tensorrt",
        version="10.16.2",
        arch="x86_64",
        device="GeForce RTX 3050",
        compute_capability="8.6",
        driver="580.95",
        cuda="13.0",
    )
    folder = folder_of(bundle, card)
    write_plans(folder, bundle.path / "graphs", bundle.manifest.spec, slots, context)
    write_lock(bundle, folder, card, "", 1.0, 1)
    device = FakeDevice()
    monkeypatch.setattr("edgekit.engines.tensorrt.backend.like", lambda place, here: card)
    here = replace(detect(), gpus=(Gpu(card.device, card.compute_capability),))
    monkeypatch.setattr("edgekit.machine.look", lambda: here)
    monkeypatch.setattr(
        "edgekit.engines.tensorrt.backend.flavour", lambda name: Api(FakeTensorRt(device), name, (10, 16, 2))
    )
    monkeypatch.setattr("edgekit.engines.tensorrt.engine.CudaDevice", lambda extra, ordinal: device)
    engine = open_engine(bundle, slots)
    assert isinstance(engine, TensorRtEngine)
    planned = plan(bundle, bundle.manifest.target, bundle.manifest.recipe).components["kv_arena"]
    assert engine.kv_bytes == planned
    engine.close()
    assert not device.memory
    with pytest.raises(EngineError, match=f"built for {slots} slots"):
        open_engine(bundle, slots + 1)
    with monkeypatch.context() as patch:
        patch.setattr("edgekit.engines.tensorrt.backend.like", lambda place, here: replace(card, driver="999.1"))
        with pytest.raises(EngineError, match=r"driver 580\.95, here 999\.1") as refused:
            open_engine(bundle, 1)
        assert refused.value.hint == f"Run: edgekit compile {bundle.path}"
    lock = folder / "lock.json"
    said = unsealed(lock)
    assert said["shapes"] == {"slots": slots, "context": context, "chunk": 512}
    lock.write_text(json.dumps(said | {"shapes": said["shapes"] | {"chunk": 256}}))
    with pytest.raises(EngineError, match="for other sizes than the bundle's: chunk 256"):
        open_engine(bundle, 1)
