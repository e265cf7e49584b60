"""What a service for a GPU proves before it is ready: that the GPU is there, computes, and answers as it did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle
from edgekit.errors import EngineError, GateRefused
from edgekit.machine.detect import detect
from edgekit.machine.gpus import Gpu
from edgekit.runtime.model import Model
from edgekit.serve import proof
from edgekit.serve.proof import prove, require_gpu
from edgekit.target import target
from tests.unit.engines.sealed import sealed


class Computes:
    """An engine, as far as it says what computes."""

    plans = None

    def __init__(self, *, on_gpu: bool) -> None:
        self.on_gpu = on_gpu


def model(bundle: Bundle, *, on_gpu: bool) -> Model:
    parts: Any = Computes(on_gpu=on_gpu)
    return Model(bundle, parts, parts, parts)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Bundle]:
    bundles: list[Bundle] = []
    monkeypatch.setattr(proof, "require_true_answer", lambda bundle, engine: bundles.append(bundle))
    return bundles


def test_a_processor_s_model_is_believed(tmp_path: Path, asked: list[Bundle]) -> None:
    bundle = sealed(tmp_path / "bundle", target("cpu"))
    require_gpu(bundle)
    prove(model(bundle, on_gpu=False))
    assert asked == []


def test_a_gpu_s_model_is_asked_on_the_gpu_alone(tmp_path: Path, asked: list[Bundle]) -> None:
    bundle = sealed(tmp_path / "bundle", target("rtx3050"))
    prove(model(bundle, on_gpu=True))
    assert asked == [bundle]
    with pytest.raises(EngineError, match=r"is for .*3050.*, and that GPU is not here") as refused:
        prove(model(bundle, on_gpu=False))
    assert refused.value.hint == "Run: edgekit doctor --target rtx3050"
    assert len(asked) == 1


def test_what_the_answer_says_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(bundle: Bundle, engine: object) -> None:
        raise GateRefused("it answers otherwise", "look")

    monkeypatch.setattr(proof, "require_true_answer", refuse)
    with pytest.raises(GateRefused, match="otherwise"):
        prove(model(sealed(tmp_path / "bundle", target("rtx3050")), on_gpu=True))


def test_a_machine_without_that_gpu_is_told_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, here = sealed(tmp_path / "bundle", target("rtx3050")), detect()
    monkeypatch.setattr("edgekit.machine.look", lambda: replace(here, gpus=(Gpu("RTX 3050", "8.6", 1, "580"),)))
    require_gpu(bundle)
    monkeypatch.setattr("edgekit.machine.look", lambda: replace(here, gpus=()))
    with pytest.raises(EngineError, match="that GPU is not here"):
        require_gpu(bundle)
