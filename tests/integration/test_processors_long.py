"""The embedded model's whole parity on emulated processors, by the commands that a user gives there: many minutes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgekit.bundle import Bundle
from edgekit.evaluate.phantoms import questions
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.recipe import recipe
from edgekit.target import target
from tests.embedded_oracle import Oracle
from tests.integration.test_check import damaged
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


def louder(bundle: Bundle) -> None:
    """Every scale of the head three hundredths too large."""
    path = bundle.file("graphs/decoder.onnx")
    initializers = onnx.load(str(path), load_external_data=False).graph.initializer
    scales = next(tensor for tensor in initializers if tensor.name == "decoder.lm_head.weight.scales")
    place = {entry.key: entry.value for entry in scales.external_data}
    start, length = int(place["offset"]), int(place["length"])
    with path.with_name(place["location"]).open("r+b") as file:
        file.seek(start)
        turned_up = np.frombuffer(file.read(length), np.float16) * np.float16(1.03)
        file.seek(start)
        file.write(turned_up.tobytes())


def test_a_head_that_is_too_loud_is_refused_where_float16_is_added_up(python: Python, tmp_path: Path) -> None:
    """And where it is not: by the error's limit alone, which is the narrower one there."""
    built = build(embedded(), target("orin"), recipe("q4"), tmp_path / "sound")
    path = damaged(built, tmp_path / "louder", louder)
    checked = json.loads(python.run("-m", "edgekit", "check", str(path), "--json", timeout=3600, status=3))
    decoder = next(component for component in checked["components"] if component["name"] == "decoder")
    failed = {limit["name"] for limit in decoder["limits"] if not limit["passed"]}
    adds_float16 = "aarch64" in python.command[0]
    assert (checked["worst"], failed) == ("decoder", {"error", "gain"} if adds_float16 else {"error"})
    assert decoder["gain"] == pytest.approx(0.03, abs=0.002)


@pytest.mark.parametrize(("name", "changed"), [("fp32", 0), ("q8", 1), ("q4", 2)])
def test_answers_are_transformers(python: Python, name: str, changed: int, expected: list[str], tmp_path: Path) -> None:
    path = build_for("cpu", name, tmp_path)
    command = ["evaluate", str(path), "--questions", str(COUNT), "--slots", "2", "--json"]
    rows = json.loads(python.run("-m", "edgekit", *command, timeout=3600))["rows"]
    assert sum(row["answer"] != text for row, text in zip(rows, expected, strict=True)) <= changed
