"""What ran a model, in one word that a line of the audit may hold."""

from __future__ import annotations

from dataclasses import replace

import onnxruntime
import pytest

from edgekit import machine
from edgekit.machine.gpus import Gpu
from edgekit.runtime.model import Model
from edgekit.target import target
from edgekit.ward.audit.engine import engine_words
from edgekit.ward.audit.facts import require_facts
from tests.fake_engine import FakeEngine
from tests.toy_service import model_of


def _for(model: Model, name: str) -> Model:
    manifest = replace(model.bundle.manifest, target=target(name))
    return replace(model, bundle=replace(model.bundle, manifest=manifest))


def test_a_processor_is_told_with_what_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    here = replace(machine.look(), arch="x86_64", features=("avx2", "avx512f"))
    monkeypatch.setattr(machine, "look", lambda: here)
    words = engine_words(model_of(FakeEngine()))
    assert words == f"onnxruntime/{onnxruntime.__version__}/x86_64/avx2+avx512f"
    monkeypatch.setattr(machine, "look", lambda: replace(here, features=()))
    assert engine_words(model_of(FakeEngine())).endswith("/x86_64/none")


def test_a_gpu_is_told_where_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = Gpu("NVIDIA GeForce RTX 3050", "8.6", 8 * 2**30, "580.65.06")
    here = replace(machine.look(), gpus=(gpu,))
    monkeypatch.setattr(machine, "look", lambda: here)
    words = engine_words(_for(model_of(FakeEngine()), "rtx3050"))
    assert words.endswith("/NVIDIA-GeForce-RTX-3050/8.6/580.65.06")
    require_facts({"engine": words})
    assert "GeForce" not in engine_words(model_of(FakeEngine()))
