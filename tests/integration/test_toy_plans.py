"""An engine with plans that is not TensorRT: its user is told its own name and its own next step, nowhere another's."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.bundle import Bundle, open_bundle
from edgekit.cli.main import main
from edgekit.engines.backend import Destination
from edgekit.engines.open import open_engine
from edgekit.errors import EngineError
from edgekit.target.kinds import KINDS
from tests.integration.test_toy_engine import TARGET
from tests.toy_engine.backend import BACKEND, WITH_PLANS, ToyPlansEngine

FOREIGN = re.compile(r"tensorrt|jetpack|jetson|nvidia|rtx", re.IGNORECASE)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, WITH_PLANS.name, WITH_PLANS)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """The target's file."""
    path = tmp_path / "toy.toml"
    path.write_text(TARGET.replace('engine = "toy"', 'engine = "toy-plans"'))
    return path


def said(capsys: Capture, *arguments: str, code: int = 0) -> str:
    """What a command says on both streams, on one line; no word of another engine."""
    assert main(list(arguments)) == code, capsys.readouterr().err
    read = capsys.readouterr()
    assert not FOREIGN.search(read.out + read.err), read.out + read.err
    return " ".join((read.out + read.err).split())


def build(capsys: Capture, target: Path, arch: str = "any") -> tuple[Path, str]:
    target.write_text(target.read_text().replace('arch = "any"', f'arch = "{arch}"'))
    out = target.parent / "bundle"
    return out, said(capsys, "build", "--target", str(target), "--recipe", "q8", "--out", str(out))


def test_its_plans_are_built_and_asked(toy: Path, capsys: Capture) -> None:
    out, built = build(capsys, toy)
    assert "Toy's engines are built, for this machine's GPU." in built
    assert "Checked on the GPU" in built
    engine = open_engine(open_bundle(out), slots=1)
    assert isinstance(engine, ToyPlansEngine)
    engine.close()
    for arguments in (
        ("plan", str(out), "--target", str(toy)),
        ("check", str(out)),
        ("ask", str(out), "Is there an effusion?"),
        ("report", "engines", str(out)),
    ):
        said(capsys, *arguments)
    assert "for toy 1.0" in said(capsys, "inspect", str(out), "--verify")
    assert "Toy's engines are built" in said(capsys, "compile", str(out))
    assert main(["compile", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["check"]["passed"]
    assert set(document["plans"]) == {"vision", "projector", "decoder"}
    shutil.rmtree(out / "engines")
    assert f"edgekit compile {out}" in said(capsys, "check", str(out), code=1)


@pytest.mark.parametrize("arch", ["any", "x86_64", "aarch64"])
def test_a_machine_that_can_t_build_them_says_where_they_are(
    arch: str, toy: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(bundle: Bundle) -> Destination:
        raise EngineError("This machine is no toy", "Take one.")

    monkeypatch.setattr(BACKEND, "destination", elsewhere)
    out, built = build(capsys, toy, arch)
    assert f"Still to do, on the device: edgekit compile {out}" in built


def test_building_them_may_fail(toy: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise EngineError("A toy broke", "Mend it.")

    monkeypatch.setattr(BACKEND, "compile", fail)
    out, built = build(capsys, toy)
    assert "Toy's engines are not built: A toy broke Mend it." in built
    assert f"does not answer without engines. Build them: edgekit compile {out}" in built
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
        assert "Without plans a toy does not answer." in said(capsys, "compile", str(out), code=1)


def test_they_may_be_built_ahead(toy: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    here = BACKEND.destination

    def ahead(bundle: Bundle) -> Destination:
        return replace(here(bundle), ahead=True)

    monkeypatch.setattr(BACKEND, "destination", ahead)
    _, built = build(capsys, toy)
    assert "Toy's engines are built, for every A toy with toy 1.0; a device needs that very release." in built
