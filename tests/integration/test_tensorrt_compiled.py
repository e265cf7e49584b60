"""What ``compile`` and ``build`` say of TensorRT's engines on a simulated device: what they are, took and answer."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.bundle import open_bundle
from edgekit.cli.main import main
from edgekit.config.seal import wrap
from edgekit.engines.compile import NotCompiled, compile_here
from edgekit.engines.lock import ENGINES
from edgekit.engines.open import open_engine
from edgekit.engines.tensorrt.api import Flavour
from edgekit.engines.tensorrt.cache import FILE
from edgekit.errors import EngineError, MissingExtra
from edgekit.machine.gpus import Gpu
from tests.edited import edit
from tests.flipped import unseen
from tests.simulated_tensorrt.machine import CARD, RTX, simulate
from tests.simulated_tensorrt.module import FakeTensorRt

Capture = pytest.CaptureFixture[str]


def absent(wanted: Flavour | None) -> Flavour:
    raise MissingExtra("Compiling with TensorRT-RTX", "rtx")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sealed") / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgekit.engines.tensorrt.build.destination.present", absent)
        assert main(["build", "--target", "rtx3050", "--out", str(out)]) == 0
    return out


@pytest.fixture
def bundle(sealed: Path, tmp_path: Path) -> Path:
    """Whole, and not compiled."""
    return Path(shutil.copytree(sealed, tmp_path / "a bundle"))


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTensorRt:
    return simulate(tmp_path, monkeypatch, CARD)


@pytest.fixture
def no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTensorRt:
    return simulate(tmp_path, monkeypatch)


@pytest.fixture
def wrong(device: FakeTensorRt, monkeypatch: pytest.MonkeyPatch) -> None:
    """The GPU loses every picture, and nothing else does."""
    project = "edgekit.engines.tensorrt.engine.TensorRtEngine.project"
    monkeypatch.setattr(project, lambda self, features: np.zeros((*features.shape[:2], self._hidden), np.float16))


def said(capsys: Capture) -> tuple[str, str]:
    """What was printed on stdout and stderr, in one line each."""
    read = capsys.readouterr()
    return " ".join(read.out.split()), " ".join(read.err.split())


def build(out: Path, *more: str) -> int:
    return main(["build", "--target", "rtx3050", "--out", str(out), *more])


def test_a_device_says_what_it_made_and_how_that_answers(device: FakeTensorRt, bundle: Path, capsys: Capture) -> None:
    assert main(["compile", str(bundle)]) == 0
    out, _ = said(capsys)
    for name in ("vision", "projector", "decoder"):
        assert name in out
    assert "4.00 MiB 1 of 6" in out  # of the vision tower, as the builder's log has it
    assert "built, for this machine's NVIDIA GeForce RTX 3050, driver 580.95.05." in out
    assert "Checked on the GPU: top-1 100.0 %" in out
    assert device.device.launches > 0
    assert device.device.closed


def test_scripts_get_the_place_the_plans_and_the_check(device: FakeTensorRt, bundle: Path, capsys: Capture) -> None:
    assert main(["compile", str(bundle), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    folder = Path(found["folder"])
    assert found["place"] == json.loads((folder / "lock.json").read_text())["place"]
    assert found["plans"] == json.loads((folder / "plans.json").read_text())
    assert json.loads((folder / "decoder.plan").read_text())["workspace"] == 384 << 20  # a sixteenth of its 6 GiB
    assert found["plans"]["decoder"]["device_peak_bytes"] == 4 << 20
    assert found["bytes"] > 0
    assert found["peak_bytes"] == max(plan["peak_bytes"] for plan in found["plans"].values())
    assert (found["check"]["passed"], found["check"]["stood_in"], found["doubts"]) == (True, False, [])


@pytest.mark.usefixtures("wrong")
def test_engines_that_answer_wrongly_are_refused_and_kept(bundle: Path, capsys: Capture) -> None:
    assert main(["compile", str(bundle), "--json"]) == 3
    read = capsys.readouterr()
    found = json.loads(read.out)
    assert not found["check"]["passed"]
    assert (Path(found["folder"]) / "decoder.plan").exists()
    assert "The engines are kept, and would be run: to do without them, remove" in read.err
    assert found["folder"] in read.err
    assert "fall short" in read.err


@pytest.mark.usefixtures("wrong")
def test_a_build_refuses_them_too_unless_it_is_forced(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "bundle"
    assert build(out, "--json") == 3
    read = capsys.readouterr()
    found = json.loads(read.out)
    assert (found["compiled"], found["check"]["passed"], found["gpu_check"]["passed"]) == (True, True, False)
    assert "The engines are kept" in read.err
    assert list((out / ENGINES).glob("*/decoder.plan"))
    assert build(out, "--force") == 0
    printed, notes = said(capsys)
    assert "Checked on the GPU: top-1" in printed
    assert "Forced: on the GPU: The answers fall short" in notes
    assert main(["inspect", str(out)]) == 0  # the bundle was sealed before: what was forced stands beside the engines
    assert "for this machine. On NVIDIA GeForce RTX 3050, driver 580.95.05, 20" in said(capsys)[0]
    assert main(["inspect", str(out), "--json"]) == 0
    (form,) = json.loads(capsys.readouterr().out)["compiled"]
    assert form["check"]["shortfall"].startswith("The answers fall short")
    assert {component["name"] for component in form["check"]["components"]} >= {"vision", "projector", "decoder"}
    assert form["check"]["place"]["device"] == "NVIDIA GeForce RTX 3050"


@pytest.mark.parametrize("gpu", [Gpu("NVIDIA GeForce RTX 3050"), Gpu("NVIDIA GPU 0")], ids=["silent", "lost"])
def test_a_gpu_that_does_not_tell_its_kind_is_not_taken_for_none(
    gpu: Gpu, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """A driver that was updated and not started anew, or a card that is lost: nobody must wait for a processor."""
    simulate(tmp_path, monkeypatch, gpu)
    for command in (["check", str(bundle)], ["ask", str(bundle), "Why?"]):
        assert main(command) == 1
        _, err = said(capsys)
        assert f"{gpu.name} does not tell its compute capability: it may be GeForce RTX 3050, 6 GB's" in err
        assert f"run its graphs, slowly: edgekit check '{bundle}' --processor" in err
    assert main(["check", str(bundle), "--processor"]) == 0


def test_a_build_beside_a_silent_gpu_does_not_say_that_it_would_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """TensorRT-RTX builds for every such card, so that engines are there; the card can't be asked."""
    simulate(tmp_path, monkeypatch, Gpu("NVIDIA GeForce RTX 3050"))
    out = tmp_path / "bundle"
    assert build(out) == 0
    printed, _ = said(capsys)
    assert "TensorRT's engines are built, for every" in printed
    assert "Ask it:" not in printed
    assert "They can't be checked: NVIDIA GeForce RTX 3050 does not tell its compute capability" in printed
    assert f"Then run: edgekit check {out}" in printed


@pytest.mark.usefixtures("device")
def test_the_first_load_is_kept_for_what_it_compiles(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, clock = open_engine, count(0, 7)
    monkeypatch.setattr("edgekit.check.verdict.monotonic", lambda: next(clock))
    monkeypatch.setattr(
        "edgekit.check.verdict.open_engine", lambda bundle, slots: (next(clock), opened(bundle, slots))[1]
    )
    assert main(["compile", str(bundle)]) == 0
    (kept,) = bundle.glob(f"{ENGINES}/*/check.json")
    assert json.loads(kept.read_text())["first_load_s"] == 14
    monkeypatch.setattr("edgekit.check.verdict.open_engine", opened)
    assert main(["check", str(bundle)]) == 0
    assert json.loads(kept.read_text())["first_load_s"] == 14
    kept.unlink()
    assert main(["check", str(bundle)]) == 0
    assert json.loads(kept.read_text())["first_load_s"] == 7


@pytest.mark.usefixtures("device")
def test_no_flipped_bit_of_what_a_device_made_goes_unseen(bundle: Path) -> None:
    """Plans, what building them took, their lock, the check's verdict, and kernels that TensorRT-RTX would keep."""
    assert main(["compile", str(bundle)]) == 0
    (folder,) = (bundle / ENGINES).iterdir()
    (folder / FILE).write_bytes(wrap(b"kernels"))
    plans = {"vision.plan", "projector.plan", "decoder.plan", "plans.json"}
    assert {file.name for file in folder.iterdir()} == plans | {"lock.json", "check.json", FILE}
    for file in folder.iterdir():
        assert list(unseen(bundle, file.name)) == []
    assert main(["check", str(bundle)]) == 0


@pytest.mark.usefixtures("device")
def test_a_check_that_breaks_down_says_nothing(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier one said stays, with its time: engines that fell short must not look clean after Ctrl-C."""
    assert main(["compile", str(bundle)]) == 0
    (kept,) = bundle.glob(f"{ENGINES}/*/check.json")
    edit(kept, lambda document: document.update(shortfall="long ago"))

    def fail(self: object, tokens: object) -> None:
        raise EngineError("The GPU has fallen off the bus", "Restart the machine.")

    with monkeypatch.context() as patch:
        patch.setattr("edgekit.engines.tensorrt.engine.TensorRtEngine.embed", fail)
        assert main(["check", str(bundle)]) == 1
    assert json.loads(kept.read_text())["shortfall"] == "long ago"
    assert main(["check", str(bundle), "--processor"]) == 0
    assert json.loads(kept.read_text())["shortfall"] == "long ago"
    assert main(["check", str(bundle)]) == 0
    assert json.loads(kept.read_text())["shortfall"] == ""


def test_a_jetson_s_bundle_is_looked_at_beside_a_silent_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Another processor's: the card here can't be its GPU."""
    simulate(tmp_path, monkeypatch, Gpu("NVIDIA GeForce RTX 3050"))
    assert main(["build", "--target", "orin", "--out", str(tmp_path / "orin")]) == 0
    assert "Ask it:" in said(capsys)[0]
    assert main(["ask", str(tmp_path / "orin"), "Why?", "--max-tokens", "2"]) == 0


def test_engines_that_can_t_be_opened_are_no_success(device: FakeTensorRt, bundle: Path, capsys: Capture) -> None:
    device.device.room = 1000
    assert main(["compile", str(bundle)]) == 1
    out, err = said(capsys)
    assert "built, for this machine's" in out
    assert "The GPU has no room" in err
    assert list((bundle / ENGINES).glob("*/decoder.plan"))
    assert main(["compile", str(bundle), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ahead"], found["check"]) == (False, None)
    assert "The GPU has no room" in found["why"]
    assert build(bundle, "--json") == 1  # a script must not take them for checked
    read = capsys.readouterr()
    found = json.loads(read.out)
    assert (found["compiled"], found["gpu_check"]) == (True, None)
    assert "The GPU has no room" in found["why"]
    assert "built and kept, but could not be checked" in read.err
    assert build(bundle) == 1
    assert "Ask it:" not in said(capsys)[0]
    assert build(bundle, "--force") == 0
    assert "Forced: on the GPU: The GPU has no room" in said(capsys)[1]


@pytest.mark.usefixtures("no_gpu")
def test_engines_built_ahead_name_the_release_that_runs_them(bundle: Path, capsys: Capture) -> None:
    assert main(["compile", str(bundle)]) == 0
    compiled, _ = said(capsys)
    assert build(bundle) == 0
    built, _ = said(capsys)
    for out in (compiled, built):
        assert "attention fused" in out
        assert (
            f"for every GeForce RTX 3050, 6 GB (compute capability 8.6) with TensorRT-RTX {RTX}; "
            f"a device needs that very release: pip install 'tensorrt-rtx-cu13=={RTX}'"
        ) in out
        assert f"On the device, run: edgekit check '{bundle}'" in out
    assert main(["compile", str(bundle), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["check"], found["why"], found["ahead"]) == (None, None, True)
    assert (found["place"]["device"], found["place"]["version"]) == ("", RTX)


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("killed", ["most likely memory ran out", "Building vision.onnx takes about 455 MiB of memory", "narrower"]),
        ("full", ["No space is left to write", "Make room on the disk of"]),
    ],
)
@pytest.mark.usefixtures("device")
def test_a_build_whose_engines_fail_says_why_and_is_whole(
    does: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("FAKE_TENSORRT", does)
    out = tmp_path / "bundle"
    assert build(out) == 0
    printed, notes = said(capsys)
    for word in (*words, "does not answer without engines", f"Build them: edgekit compile {out}"):
        assert word in printed
    assert "It runs without" not in printed + notes
    assert "Ask it:" not in printed  # it would not
    assert ".part" not in printed
    if does == "full":
        assert f"Make room on the disk of {out}, " in printed
    assert build(out, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert not found["compiled"]
    assert all(word in " ".join(found["why"].split()) for word in words)
    assert main(["check", str(out), "--processor"]) == 0


def test_doubts_about_plans_are_told(
    device: FakeTensorRt, bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("edgekit.pipeline.prepared.doubts", lambda *_: ("decoder.plan is odd.",))
    for command in (["compile", str(bundle)], ["build", "--target", "rtx3050", "--out", str(bundle)]):
        assert main([*command, "--json"]) == 0
        read = capsys.readouterr()
        assert json.loads(read.out)["doubts"] == ["decoder.plan is odd."]
        assert "decoder.plan is odd." in read.err


@pytest.mark.usefixtures("device")
def test_storage_that_can_t_be_written_to_is_no_matter_of_saving_memory(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgekit.engines.compile.os.access", lambda path, mode: mode != os.W_OK)
    found = compile_here(open_bundle(bundle))
    assert isinstance(found, NotCompiled)
    assert found.tried
    assert "can't be written to" in found.why.message
    assert "does not answer" in found.why.hint
    assert "only saves memory" not in found.why.hint


def test_timings_are_kept_in_the_home_of_a_user_who_has_one(
    device: FakeTensorRt, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["compile", str(bundle)]) == 0
    kept = tmp_path / "home/.cache/edgekit/timings"
    assert [file.read_bytes()[:8] for file in kept.iterdir()] == [b"measured"]
    monkeypatch.setattr("edgekit.engines.tensorrt.cache.Path.home", no_home)
    assert main(["compile", str(bundle)]) == 0


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {file.name: (file.stat().st_ino, file.read_bytes()) for file in folder.iterdir()}


def test_engines_of_another_driver_stay_beside_the_new_ones(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """A bundle may go from device to device, and back to an older driver."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    with monkeypatch.context() as patch:
        simulate(tmp_path / "old", patch, CARD)
        assert main(["compile", str(bundle)]) == 0
        (old,) = (bundle / ENGINES).iterdir()
        kept = contents(old)
    simulate(tmp_path / "new", monkeypatch, replace(CARD, driver="999.1"))
    monkeypatch.setenv("FAKE_TENSORRT", "killed")
    assert main(["compile", str(bundle)]) == 1
    assert [*(bundle / ENGINES).iterdir()] == [old]
    monkeypatch.delenv("FAKE_TENSORRT")
    capsys.readouterr()
    for _ in range(2):  # again takes the place of its own alone
        assert main(["compile", str(bundle), "--json"]) == 0
        new = Path(json.loads(capsys.readouterr().out)["folder"])
        assert {*(bundle / ENGINES).iterdir()} == {old, new}
        assert contents(old) == kept
    assert json.loads((new / "lock.json").read_text())["place"]["driver"] == "999.1"
    with monkeypatch.context() as patch:
        (tmp_path / "back").mkdir()
        simulate(tmp_path / "back", patch, CARD)
        assert main(["check", str(bundle), "--json"]) == 0
        assert not json.loads(capsys.readouterr().out)["stood_in"]


def no_home() -> Any:
    raise RuntimeError("Could not determine home directory.")


def test_a_jetson_s_engines_are_bound_to_its_system(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    simulate(tmp_path, monkeypatch, Gpu("Orin (integrated)", "8.6"), l4t="36.4.3")
    assert main(["compile", str(bundle)]) == 0
    assert "built, for this machine's Orin (integrated), L4T 36.4.3." in said(capsys)[0]
