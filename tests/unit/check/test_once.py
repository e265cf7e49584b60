"""One golden question before a service is ready: an engine that answers as it did is asked no more, any other all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle
from edgekit.bundle.forced import FORCED, ForcedGate, keep_forced
from edgekit.check import once
from edgekit.check.golden import read_golden
from edgekit.check.measure import Figures, figures
from edgekit.check.once import require_true_answer
from edgekit.check.verdict import Verdict, verdict_of
from edgekit.checkpoint.packed import Array
from edgekit.config.writing import write_json
from edgekit.engines.base import Logits
from edgekit.engines.lock import VERDICT
from edgekit.engines.open import open_engine
from edgekit.engines.place import Place
from edgekit.errors import GateRefused
from tests.embedded_bundles import EmbeddedBundles

SHORT = Figures(
    sequences=1,
    positions=1,
    decided=1,
    top1=0.0,
    top1_decided=0.0,
    first_token=0.0,
    kl=9.0,
    perplexity_ratio=9.0,
    same_tokens=0,
)


class Opposite:
    """An engine that answers the opposite of what it should."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        logits: Logits = -self._engine.prefill(slot, embeds, start)
        return logits

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        logits: Logits = -self._engine.decode(tokens, slots)
        return logits


@pytest.fixture
def bundle(embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as("q4")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of how many answers each judgement was."""
    numbers: list[int] = []

    def count(answers: Any) -> Any:
        numbers.append(len(answers))
        return figures(answers)

    monkeypatch.setattr(once, "figures", count)
    return numbers


def test_an_engine_that_answers_as_it_did_is_asked_once(bundle: Bundle, judged: list[int]) -> None:
    with closing(open_engine(bundle, 1)) as engine:
        require_true_answer(bundle, engine)
    assert judged == [1]


def test_one_that_answers_otherwise_is_asked_all_and_refused(bundle: Bundle, judged: list[int]) -> None:
    with closing(open_engine(bundle, 1)) as engine:
        behind: Any = Opposite(engine)
        with pytest.raises(GateRefused, match=r"does not answer here as it was built to: .*at (least|most)") as refused:
            require_true_answer(bundle, behind)
    assert "edgekit check" in refused.value.hint
    assert judged == [1, len(read_golden(bundle)[0].sequences)]


@pytest.fixture
def opposite(bundle: Bundle) -> Iterator[Any]:
    with closing(open_engine(bundle, 1)) as engine:
        yield Opposite(engine)


@pytest.fixture
def installed(bundle: Bundle, tmp_path: Path) -> Bundle:
    """Linked to a record of what was forced, as an installation is."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    for path in bundle.path.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / FORCED).symlink_to(tmp_path / "record.json")
    return replace(bundle, path=folder)


@pytest.mark.parametrize("gate", ["compile", "check"])
@pytest.mark.parametrize("has_plans", [False, True])
def test_answers_that_root_forced_in_are_not_asked_again_by_whatever_engine(
    installed: Bundle, tmp_path: Path, caplog: pytest.LogCaptureFixture, gate: str, has_plans: bool
) -> None:
    why = ForcedGate(gate=gate, why="KL 0.12, at most 0.05", release="a", at="2026-12-01T00:00:00Z")
    keep_forced(tmp_path / "record.json", why)
    engine: Any = type("Engine", (), {"plans": tmp_path if has_plans else None})()
    require_true_answer(installed, engine)
    assert "told to go on" in caplog.text
    assert "KL 0.12" in caplog.text


def test_what_a_later_check_said_or_another_gate_excuses_no_answers(
    installed: Bundle, tmp_path: Path, opposite: Any
) -> None:
    budget = ForcedGate(gate="profile", why="2 GiB over budget", release="a", at="2026-12-01T00:00:00Z")
    keep_forced(tmp_path / "record.json", budget)
    plans = tmp_path / "plans"
    plans.mkdir()
    verdict = Verdict(
        checked_at="2026-12-01T00:00:00Z",
        place=Place(engine="tensorrt", version="1", arch="x86_64"),
        shortfall="KL 9, at most 0.05",
        figures=SHORT,
        components=(),
        first_load_s=1.0,
    )
    write_json(plans / VERDICT, verdict)
    assert verdict_of(plans) == verdict
    opposite.plans = plans
    with pytest.raises(GateRefused, match="does not answer here as it was built to"):
        require_true_answer(installed, opposite)


def test_a_record_that_can_not_be_read_excuses_nothing(
    installed: Bundle, tmp_path: Path, opposite: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "record.json").write_text("{")
    with pytest.raises(GateRefused, match="does not answer here as it was built to"):
        require_true_answer(installed, opposite)
    assert "excuses nothing" in caplog.text
