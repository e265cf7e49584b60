"""How a precision is decided, and a checkpoint written in it, with sensitivities and calibrations made up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.errors import ConfigError
from edgekit.inputs.examples import Example, read_examples
from edgekit.pipeline import precision
from edgekit.pipeline.precision import SENSED, decide, forget, held_out, quantize_to, quantized
from edgekit.plan import weight_bytes
from edgekit.quantize.calibrate import SAMPLES, Calibrated, spread
from edgekit.quantize.sensitivity import Sensitivity
from edgekit.recipe import recipe
from edgekit.target import target
from tests.unit.quantize.fakes import SPEC, Stored, checkpoint, normal

SOURCE = checkpoint(**{name: Stored(normal(*shape)) for name, shape in tensor_shapes(SPEC).items()})
Q4, CPU, CARD = recipe("q4"), target("cpu"), target("rtx3050")
LOSSES = Sensitivity({"vision": 0.5, "lm_head": 0.01, "decoder.0-0": 0.1}, {"decoder.0-0": (0,)})


def data(folder: Path, count: int) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "rows.json").write_text(json.dumps([{"question": f"Is it {at}?", "answer": "no"} for at in range(count)]))
    return folder


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions by which parts were told apart."""
    asked: list[str] = []

    def prompts(source: object, examples: list[Example]) -> list[Example]:
        asked.extend(example.question for example in examples)
        return examples

    monkeypatch.setattr(precision, "prompts", prompts)
    monkeypatch.setattr(precision, "sensitivity", lambda source, by, examples, progress: LOSSES)
    return asked


def test_without_a_limit_nothing_is_measured(shown: list[str], tmp_path: Path) -> None:
    assert decide(SOURCE, Q4, CPU, None, None).recipe == Q4
    calibrated = decide(SOURCE, Q4, CPU, data(tmp_path, 3), None)
    assert (calibrated.recipe, calibrated.choice) == (replace(Q4, method="awq+gptq"), None)
    assert not shown


def test_a_limit_wants_examples() -> None:
    with pytest.raises(ConfigError, match="measured on examples"):
        decide(SOURCE, Q4, CPU, None, 1000)


@pytest.mark.parametrize(("chosen", "wide"), [(CPU, 4), (CARD, 2)], ids=["cpu", "rtx3050"])
def test_within_so_many_bytes_of_its_device_s_memory_what_loses_most_is_widened(
    chosen: Any, wide: int, shown: list[str], tmp_path: Path
) -> None:
    """The tower's is a byte a weight more, and wins the most for it: room for that one, and for no other."""
    method = replace(Q4, method="awq+gptq")
    wider = replace(method, vision="fp16", projector="fp16")
    least, limit = (sum(weight_bytes(SOURCE, by, wide).values()) for by in (method, wider))
    decided = decide(SOURCE, Q4, chosen, data(tmp_path, 40), limit)
    assert decided.recipe == wider
    assert decided.choice
    assert (decided.choice.bytes, decided.choice.wider) == (limit, ("vision",))
    assert decided.sensitivity is LOSSES
    assert shown == [f"Is it {at}?" for at in (0, 10, 20, 30)]
    assert len(shown) == SENSED
    with pytest.raises(ConfigError, match="are allowed"):
        decide(SOURCE, Q4, chosen, tmp_path, least - 1)


def test_what_no_calibration_looked_at_is_held_out_and_all_of_it_where_it_looked_at_all(tmp_path: Path) -> None:
    every = read_examples(data(tmp_path, 3 * SAMPLES))
    others, used = held_out(tmp_path), spread(every, SAMPLES)
    assert {example.question for example in [*others, *used]} == {example.question for example in every}
    assert len(others) == 2 * SAMPLES
    assert len(held_out(data(tmp_path, SAMPLES))) == SAMPLES


def test_a_checkpoint_is_written_and_what_was_kept_for_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Path] = []

    def calibrate(source: Any, by: Any, examples: object, folder: Path, progress: object) -> Calibrated:
        folder.mkdir()
        kept.append(folder)
        return Calibrated(source, ("too few examples",))

    monkeypatch.setattr(precision, "quantized_by_method", calibrate)
    out = tmp_path / "q4"
    written = quantize_to(SOURCE, Q4, out)
    assert kept == [tmp_path / ".q4.calibration"], "beside it, so that an interrupted one is found again"
    assert not kept[0].exists()
    assert written.notes == ("too few examples",)
    size = sum(file.stat().st_size for file in out.iterdir())
    assert written.document() == {
        "checkpoint": str(out), "recipe": "q4", "bytes": size, "source_bytes": SOURCE.bytes
    }  # fmt: skip


def test_what_is_kept_for_one_place_is_no_other_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []
    monkeypatch.setattr(precision, "quantized_by_method", lambda source, by, data, folder, say: folders.append(folder))
    for name in ("a", "b"):
        quantized(SOURCE, Q4, None, tmp_path / name)
        folders[-1].mkdir()
    forget(tmp_path / "a")
    assert [folder.exists() for folder in folders] == [False, True]
    forget(tmp_path / "a")  # there is nothing, and nothing is wrong
