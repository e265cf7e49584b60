"""The embedded model's whole parity on emulated processors, by the commands that a user gives there: many minutes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.evaluate.phantoms import questions
from tests.embedded_oracle import Oracle
from tests.integration.test_processors import BUNDLES, build_for
from tests.processors import CORTEX_A76, HASWELL, Python, python_on

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

COUNT = 48


@pytest.fixture(scope="module", params=[HASWELL, CORTEX_A76], ids=lambda processor: processor.model)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Python:
    return python_on(request.param, tmp_path_factory.mktemp(request.param.model))


@pytest.fixture(scope="module")
def expected() -> list[str]:
    oracle = Oracle()
    return [oracle.answer(asked) for asked in questions(COUNT)]


@pytest.mark.parametrize(("device", "name"), [*BUNDLES, ("orin", "q4")])
def test_the_golden_check_passes(python: Python, device: str, name: str, tmp_path: Path) -> None:
    path = build_for(device, name, tmp_path)
    checked = json.loads(python.run("-m", "edgekit", "check", str(path), "--json", timeout=3600))
    assert checked["passed"]
    assert checked["very_tokens"]


@pytest.mark.parametrize(("name", "changed"), [("fp32", 0), ("q8", 1), ("q4", 2)])
def test_answers_are_transformers(python: Python, name: str, changed: int, expected: list[str], tmp_path: Path) -> None:
    path = build_for("cpu", name, tmp_path)
    command = ["evaluate", str(path), "--questions", str(COUNT), "--slots", "2", "--json"]
    rows = json.loads(python.run("-m", "edgekit", *command, timeout=3600))["rows"]
    assert sum(row["answer"] != text for row, text in zip(rows, expected, strict=True)) <= changed
