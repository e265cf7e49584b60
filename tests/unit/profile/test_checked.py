"""A check on a device: by which engine it is asked, and what the document says of who answered."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.engines.verify import Verified
from edgekit.machine import detect
from edgekit.machine.gpus import Gpu
from edgekit.profile import checked as device_checks
from edgekit.profile.checked import check_on_device
from edgekit.target import target
from tests.unit.check.case import BUNDLE, DECODER, checked

CARD = replace(BUNDLE, manifest=replace(BUNDLE.manifest, target=target("rtx3050")))
VERIFIED = Verified(files=9, bytes=1000, seconds=0.5, unsealed=())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """On a machine with the card: which of the two checks was asked for."""
    here = replace(detect.detect(gpus=()), gpus=(Gpu("NVIDIA GeForce RTX 3050", "8.6", 6 << 30, "580"),))
    monkeypatch.setattr("edgekit.machine.look", lambda: here)
    calls: list[str] = []

    def by_engine(bundle: Bundle, engine: object, progress: object) -> object:
        calls.append("processor")
        return replace(checked(DECODER), stood_in=bundle.manifest.target.kind.on_gpu)

    def check_here(bundle: Bundle, progress: object) -> object:
        calls.append("here")
        return checked(DECODER)

    closing = SimpleNamespace(close=lambda: calls.append("closed"))
    monkeypatch.setattr(device_checks, "engine_here", lambda bundle: closing)
    monkeypatch.setattr(device_checks, "check", by_engine)
    monkeypatch.setattr(device_checks, "check_here", check_here)
    return calls


def test_the_engine_that_runs_it_here_is_asked(asked: list[str]) -> None:
    on_card = check_on_device(CARD, VERIFIED)
    assert asked == ["here"]
    assert on_card.device.gpu == "NVIDIA GeForce RTX 3050"
    document = on_card.document()
    assert document["device"] == config.dump(on_card.device)
    assert document["verified"] == VERIFIED.document()
    assert list(document)[:4] == ["passed", "worst", "very_tokens", "figures"]


def test_a_processor_that_stands_in_is_the_device(asked: list[str]) -> None:
    stood_in = check_on_device(CARD, processor=True)
    assert asked == ["processor", "closed"]
    assert (stood_in.device.engine, stood_in.device.gpu) == ("onnxruntime", "")
    assert stood_in.document()["verified"] is None
