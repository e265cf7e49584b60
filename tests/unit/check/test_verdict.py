"""What is kept beside engines of what a check said: read as it was written, with the first load of each GPU."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgekit import config
from edgekit.check import verdict
from edgekit.check.verdict import check_here, verdict_of
from edgekit.engines.lock import VERDICT
from edgekit.engines.place import Place
from edgekit.errors import ConfigError
from tests.unit.check.case import BUNDLE, DECODER, VISION, checked

CARD = Place(engine="tensorrt_rtx", version="1.7", arch="x86_64", device="a card", driver="580")


@pytest.fixture(autouse=True)
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """An engine whose plans lie in a folder, on a card that takes a second more to open them each time."""
    here = SimpleNamespace(place=CARD, says=checked(DECODER), clock=0.0, plans=tmp_path, closed=0)

    def close() -> None:
        here.closed += 1

    def now() -> float:
        here.clock += 1.0
        return float(here.clock**2)

    monkeypatch.setattr(verdict, "open_engine", lambda bundle, slots: SimpleNamespace(plans=here.plans, close=close))
    monkeypatch.setattr(verdict, "check", lambda bundle, engine, progress: here.says)
    monkeypatch.setattr(verdict, "place_of", lambda folder: CARD)
    monkeypatch.setattr(verdict, "backend_for", lambda bundle: SimpleNamespace(like=lambda place: here.place))
    monkeypatch.setattr(verdict, "monotonic", now)
    return here


def test_it_is_read_as_it_was_written(gpu: SimpleNamespace, tmp_path: Path) -> None:
    gpu.says = checked(VISION, DECODER)
    assert check_here(BUNDLE) == gpu.says
    kept = verdict_of(tmp_path)
    assert kept
    assert (kept.place, kept.shortfall, kept.figures) == (CARD, gpu.says.shortfall, gpu.says.figures)
    assert kept.components == (VISION.measured, DECODER.measured)
    assert kept.first_load_s == 3  # 2² - 1²
    assert gpu.closed == 1


def test_the_first_load_is_that_of_the_gpu_that_was_asked(gpu: SimpleNamespace, tmp_path: Path) -> None:
    loads = []
    for place in (CARD, CARD, replace(CARD, driver="590"), CARD):
        gpu.place = place
        check_here(BUNDLE)
        kept = verdict_of(tmp_path)
        assert kept
        loads.append(kept.first_load_s)
    assert loads == [3, 3, 11, 15]  # the squares' differences: 4-1, 16-9 passed over, 36-25, 64-49


def test_a_bundle_that_cannot_be_written_to_is_checked_all_the_same(
    gpu: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, value: object) -> None:
        raise ConfigError(f"{path} can't be written")

    monkeypatch.setattr(verdict, "write_json", refuse)
    assert check_here(BUNDLE) == gpu.says
    assert verdict_of(tmp_path) is None


def test_a_processor_s_answers_are_not_kept(gpu: SimpleNamespace, tmp_path: Path) -> None:
    gpu.plans = None
    assert check_here(BUNDLE).passed
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("harm", [lambda text: text[:50], lambda text: "[]", lambda text: text.replace("figures", "f")])
def test_what_cannot_be_read_was_never_said(harm: object, tmp_path: Path) -> None:
    check_here(BUNDLE)
    file = tmp_path / VERDICT
    assert callable(harm)
    file.write_text(harm(json.dumps(config.dump(verdict_of(tmp_path)))))
    assert verdict_of(tmp_path) is None
