"""Bundles for TensorRT on a machine with neither GPU nor TensorRT: whole, checked, clear about what is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.bundle import open_bundle
from edgekit.cli.main import main
from edgekit.engines.lock import ENGINES, forms, write_lock
from edgekit.engines.onnxruntime.standard import StandardEngine
from edgekit.engines.open import open_engine
from edgekit.engines.place import Place
from edgekit.engines.tensorrt.api import Flavour
from edgekit.errors import MissingExtra
from edgekit.units import format_bytes
from tests.checkpoints import DecoderKind, TowerKind, write_checkpoint

Capture = pytest.CaptureFixture[str]
CARD, LARGE, JETSON = "rtx3050", "rtx3080", "orin"


def absent(wanted: Flavour | None) -> Flavour:
    raise MissingExtra("Compiling with TensorRT-RTX", "rtx")


@pytest.fixture(autouse=True)
def no_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    """This environment may have one, and would compile with it."""
    monkeypatch.setattr("edgekit.engines.tensorrt.build.destination.present", absent)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("bundles")
    made = {name: str(folder / name) for name in (CARD, LARGE, JETSON)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgekit.engines.tensorrt.build.destination.present", absent)
        for name, out in made.items():
            assert main(["build", "--target", name, "--recipe", "q4", "--out", out]) == 0
    return made


def test_a_build_ends_by_saying_what_the_device_has_to_do(
    bundles: dict[str, str], tmp_path: Path, capsys: Capture
) -> None:
    whole = main(["plan", "--target", JETSON, "--recipe", "q4", "--json"])
    takes = format_bytes(json.loads(capsys.readouterr().out)["building"]["compile_bytes"])
    assert whole == 0
    for name, said in (
        (CARD, "needs the extra 'rtx' Run: pip install 'edgekit[rtx]' Still to do, on the device or on any x86-64"),
        (
            JETSON,
            f"Still to do: TensorRT's engines are built on the device, in minutes and with about {takes} of memory",
        ),
        (JETSON, "with JetPack 6.2 or newer and the extra jetson (pip install 'edgekit[jetson]'), run:"),
    ):
        out = str(tmp_path / name)
        assert main(["build", "--target", name, "--recipe", "q4", "--out", out]) == 0
        printed = " ".join(capsys.readouterr().out.split())
        assert said in printed
        assert f"edgekit compile {out}" in printed
        assert not (Path(out) / ENGINES).exists()


@pytest.mark.parametrize(
    ("name", "decoder", "tower"), [(CARD, "llama", "siglip"), (LARGE, "mistral", "clip"), (JETSON, "phi", "siglip")]
)
def test_a_checkpoint_s_bundle_is_whole_without_engines(
    name: str, decoder: DecoderKind, tower: TowerKind, tmp_path: Path, capsys: Capture
) -> None:
    write_checkpoint(tmp_path / "checkpoint", "hf", decoder, tower)
    out = str(tmp_path / "bundle")
    assert main(["build", str(tmp_path / "checkpoint"), "--target", name, "--recipe", "q4", "--out", out]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Still to do" in said
    assert f"edgekit compile {out}" in said
    assert main(["inspect", out, "--verify"]) == 0
    assert main(["check", out]) == 0
    assert "the engines of a GPU were not asked" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("name", "said"), [(CARD, "edgekit[rtx]"), (LARGE, "edgekit[rtx]"), (JETSON, "builds its engines itself")]
)
def test_what_can_t_be_compiled_here_is_one_clear_error(
    name: str, said: str, bundles: dict[str, str], capsys: Capture
) -> None:
    assert main(["compile", bundles[name]]) == 1
    err = " ".join(capsys.readouterr().err.split())
    assert said in err
    assert "Traceback" not in err
    assert "BUNDLE" not in err
    assert not (Path(bundles[name]) / ENGINES).exists()


@pytest.mark.parametrize("name", [CARD, LARGE, JETSON])
def test_the_graphs_are_checked_and_asked_on_this_machine_s_processor(
    name: str, bundles: dict[str, str], capsys: Capture
) -> None:
    assert main(["check", bundles[name], "--json"]) == 0
    checked = json.loads(capsys.readouterr().out)
    assert (checked["passed"], checked["stood_in"]) == (True, True)
    assert main(["ask", bundles[name], "Describe the image.", "--max-tokens", "4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] == 4


def test_a_processor_s_figures_never_pass_for_a_card_s(bundles: dict[str, str], capsys: Capture) -> None:
    assert main(["profile", bundles[CARD]]) == 1
    assert "no engines for a GPU of this machine" in " ".join(capsys.readouterr().err.split())
    assert not (Path(bundles[CARD]) / "profiles").exists()


def test_a_plan_for_another_device_is_passed_over_and_kept(
    bundles: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    bundle = open_bundle(Path(bundles[CARD]))
    place = Place(
        engine="tensorrt_rtx",
        version="1.7.1",
        arch="x86_64",
        device="GeForce RTX 3080",
        compute_capability="8.6",
        driver="570.1",
        cuda="13.0",
    )
    folder = bundle.path / ENGINES / place.fingerprint
    folder.mkdir(parents=True)
    (folder / "decoder.plan").write_bytes(b"plan")
    write_lock(bundle, folder, place, "", 1.0, 1)
    (form,) = forms(bundle)
    assert "GeForce RTX 3080, here none" in form.misfit
    engine = open_engine(bundle, 1)
    assert isinstance(engine, StandardEngine)
    engine.close()
    assert (folder / "decoder.plan").read_bytes() == b"plan"
