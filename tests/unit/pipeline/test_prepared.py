"""What a compile says of itself, for every way that compiling and asking can end."""

from __future__ import annotations

import json

import pytest

from edgekit.engines.compile import Compiled, NotCompiled
from edgekit.errors import EdgeKitError, EngineError, GateRefused
from edgekit.machine.detect import Machine
from edgekit.machine.gpus import Gpu
from edgekit.pipeline import Prepared, prepared
from edgekit.target import Target, target
from tests.unit.pipeline.case import LACKS, built, bundle, checked, compiled


@pytest.fixture(params=["here", "elsewhere", "silent"])
def gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the target's GPU is: in this machine, in another one, or in one that does not tell."""

    def gpu_for(target: Target, here: Machine) -> Gpu | None:
        if request.param == "silent":
            raise EngineError("the driver does not tell", "Start it anew.")
        return Gpu("a card") if request.param == "here" else None

    monkeypatch.setattr(prepared, "gpu_for", gpu_for)
    return str(request.param)


def test_a_processor_s_form_has_nothing_left_to_do() -> None:
    result = Prepared(bundle(target("cpu")), compiled(plans=False))
    assert (result.why, result.next_step, result.failure, result.doubts) == (None, "", None, ())
    assert result.answers
    assert list(result.document()) == ["folder", "bytes", "seconds", "peak_bytes"]


def test_a_processor_goes_on_without_a_form() -> None:
    result = Prepared(bundle(target("cpu")), NotCompiled(LACKS, tried=True))
    assert result.compiled is None
    assert result.answers
    assert result.why == str(LACKS)
    assert (built(result).next_step, built(result).hindrance) == ("", "")


def test_plans_of_this_machine_that_answer_rightly() -> None:
    result = Prepared(bundle(target("rtx3050")), compiled(plans=True), checked=checked(0.0))
    assert (result.why, result.next_step, result.failure) == (None, "", None)
    assert result.answers
    document = result.document()
    assert list(document)[4:] == ["place", "ahead", "plans", "doubts", "check", "why"]
    assert document["check"]["passed"]
    assert json.loads(json.dumps(document)) == document  # nothing is left in it that JSON does not have


def test_plans_that_answer_wrongly_are_refused() -> None:
    result = Prepared(bundle(target("rtx3050")), compiled(plans=True), checked=checked(0.5))
    assert isinstance(result.failure, GateRefused)
    assert result.failure.hint == "Build it again."
    assert "KL 0.5, at most 0.1" in result.failure.message


def test_plans_that_could_not_be_asked_are_there_all_the_same() -> None:
    result = Prepared(bundle(target("rtx3050")), compiled(plans=True), unasked=LACKS)
    assert result.failure is LACKS
    assert result.why == str(LACKS)
    assert not result.answers
    assert result.document()["check"] is None
    assert built(result).document()["gpu_check"] is None


def test_plans_built_ahead_are_to_be_asked_on_the_device(gpu: str) -> None:
    result = Prepared(bundle(target("rtx3050")), compiled(plans=True, ahead=True))
    assert result.answers == (gpu == "elsewhere")
    assert result.next_step.endswith("edgekit check 'a bundle'")
    assert ("Start it anew." in result.next_step) == (gpu == "silent")
    assert built(result).next_step == result.next_step


def test_an_error_of_compiling_is_raised_where_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> Compiled:
        raise LACKS

    monkeypatch.setattr(prepared, "compile_bundle", refuse)
    with pytest.raises(EdgeKitError, match="no TensorRT"):
        prepared.prepare(bundle(target("rtx3050")))
