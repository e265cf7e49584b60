"""TensorRT as a backend: when plans answer, when the processor does, and what is said where neither may."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle
from edgekit.engines.lock import write_lock
from edgekit.engines.place import Place
from edgekit.engines.tensorrt.api import Api
from edgekit.engines.tensorrt.backend import BACKEND
from edgekit.errors import EngineError
from edgekit.machine.gpus import Gpu
from edgekit.machine.system import architecture
from edgekit.target import target
from edgekit.units import GIB
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import FakeTensorRt
from tests.unit.engines.sealed import sealed
from tests.unit.engines.tensorrt.case import Case

CARD = Gpu("NVIDIA GeForce RTX 3050", "8.6", 6 * GIB, "580.95.05")
HERE = Place(engine="tensorrt", version="10.3.0", arch="x86_64", device=CARD.name, compute_capability="8.6")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return sealed(tmp_path / "a bundle", target("rtx3050"))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> FakeTensorRt:
    """A machine with the card and TensorRT."""
    module = FakeTensorRt(FakeDevice())
    monkeypatch.setattr("edgekit.engines.tensorrt.backend.gpu_for", lambda target, here: CARD)
    monkeypatch.setattr("edgekit.engines.tensorrt.backend.like", lambda place, here: replace(HERE, engine=place.engine))
    monkeypatch.setattr("edgekit.engines.tensorrt.backend.ordinal", lambda gpu: 0)
    monkeypatch.setattr("edgekit.engines.tensorrt.backend.flavour", lambda name: Api(module, name, (10, 3, 0)))
    monkeypatch.setattr("edgekit.engines.tensorrt.engine.CudaDevice", lambda extra, ordinal: module.device)
    return module


def test_without_the_card_graphs_are_left_to_the_processor(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edgekit.engines.tensorrt.backend.gpu_for", lambda target, here: None)
    assert BACKEND.open(bundle, 1) is None
    assert "is for a GPU that is not here: its graphs run on the processor, slowly." in caplog.text


def test_a_silent_card_says_how_to_look_at_the_bundle_all_the_same(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(target: object, here: object) -> Gpu:
        raise EngineError("The driver does not tell", "Install the driver again.")

    monkeypatch.setattr("edgekit.engines.tensorrt.backend.gpu_for", silent)
    with pytest.raises(EngineError, match="does not tell") as caught:
        BACKEND.open(bundle, 1)
    first, second = caught.value.hint.splitlines()
    assert first == "Install the driver again."
    assert second.endswith(f"edgekit check '{bundle.path}' --processor")


@pytest.mark.usefixtures("here")
def test_with_the_card_nothing_takes_the_place_of_its_plans(bundle: Bundle) -> None:
    with pytest.raises(EngineError, match=r"has no engines for this machine's NVIDIA GeForce RTX 3050\n") as caught:
        BACKEND.open(bundle, 1)
    assert caught.value.hint == f"Run: edgekit compile '{bundle.path}'"
    other = replace(HERE, driver="570.10")
    folder = bundle.path / "engines" / other.fingerprint
    folder.mkdir(parents=True)
    write_lock(bundle, folder, other, "", 1.0, 1)
    with pytest.raises(EngineError, match=r"RTX 3050: .*the compiled form is for driver 570\.10, here none"):
        BACKEND.open(bundle, 1)


def test_plans_are_opened_with_what_they_were_built_for(here: FakeTensorRt, case: Case, tmp_path: Path) -> None:
    bundle = replace(case.bundle, path=Path(shutil.copytree(case.bundle.path, tmp_path / "copy")))
    folder, slots = bundle.path / "engines" / HERE.fingerprint, bundle.manifest.target.slots
    shutil.copytree(case.plans, folder)
    write_lock(bundle, folder, HERE, "", 1.0, 1)
    with pytest.raises(EngineError, match=f"built for {slots} slots, and {slots + 1} are wanted") as caught:
        BACKEND.open(bundle, slots + 1)
    assert f"Ask for {slots} at most" in caught.value.hint
    engine = BACKEND.open(bundle, 2)
    assert engine is not None
    assert (engine.slots, engine.context, engine.on_gpu) == (2, bundle.manifest.context, True)
    engine.close()
    assert not here.device.memory


@pytest.mark.parametrize(
    ("arch", "said"),
    [
        ("x86_64", "on the device or on any x86-64 machine with the extra rtx: edgekit compile '{}'"),
        ("any", "Still to do, on the device: edgekit compile '{}'"),
        ("aarch64", "in minutes and with about 3.00 GiB of memory. There, with JetPack 6.2 or newer"),
    ],
)
def test_what_is_left_to_do_depends_on_who_can_do_it(arch: Any, said: str, bundle: Bundle) -> None:
    manifest = replace(bundle.manifest, target=replace(bundle.manifest.target, arch=arch))
    step = BACKEND.next_step(replace(bundle, manifest=manifest), 3 * GIB)
    assert said.format(bundle.path) in step
    assert step.endswith(f"edgekit compile '{bundle.path}'")


def test_a_place_is_spoken_of_by_its_flavour(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = replace(HERE, engine="tensorrt_rtx", version="1.7.1")
    assert [BACKEND.runtime_title(place) for place in (HERE, ahead)] == ["TensorRT", "TensorRT-RTX"]
    assert BACKEND.installation(ahead) == "pip install 'tensorrt-rtx-cu13==1.7.1'"
    releases = {"tensorrt": "", "tensorrt_rtx": "1.7.1"}
    monkeypatch.setattr("edgekit.engines.tensorrt.backend.version_of", releases.__getitem__)
    assert BACKEND.version() == "tensorrt_rtx 1.7.1"


def test_a_destination_s_hint_names_the_bundle(bundle: Bundle) -> None:
    other: Any = "aarch64" if architecture() == "x86_64" else "x86_64"
    manifest = replace(bundle.manifest, target=replace(bundle.manifest.target, arch=other))
    with pytest.raises(EngineError, match="builds its engines itself") as caught:
        BACKEND.destination(replace(bundle, manifest=manifest))
    assert caught.value.hint == f"Copy the bundle there, and run: edgekit compile '{bundle.path}'"
