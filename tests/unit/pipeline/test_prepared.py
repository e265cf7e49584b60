"""What a build and a compile say of themselves, for every way that compiling and asking can end."""

from __future__ import annotations

import json
import platform
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from edgekit.bundle import FORMAT, Bundle, Manifest
from edgekit.check import Checked
from edgekit.check.limits import Limit
from edgekit.check.measure import Figures
from edgekit.checkpoint.open import open_checkpoint
from edgekit.engines.backend import PlanRecord
from edgekit.engines.compile import Compiled, NotCompiled
from edgekit.engines.place import Place
from edgekit.errors import EdgeKitError, EngineError, GateRefused
from edgekit.machine.gpus import Gpu
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import Built, Prepared, prepared
from edgekit.pipeline.precision import Decided
from edgekit.plan import plan
from edgekit.recipe import recipe
from edgekit.target import Target, target
from tests.fake_engine import fake_spec

LACKS = EngineError("there is no TensorRT here", "Install it.")
RECORD = PlanRecord(
    bytes=1 << 20,
    seconds=2.0,
    peak_bytes=1 << 21,
    device_peak_bytes=None,
    weight_bytes=None,
    activation_bytes=(),
    fused=(),
    warnings=(),
)


def bundle(chosen: Target) -> Bundle:
    manifest = Manifest(
        format=FORMAT,
        edgekit="0",
        source="toy",
        spec=replace(fake_spec(), notes=("a note",)),
        recipe=recipe("q4"),
        target=chosen,
        context=160,
        forced=("too large",),
        files={},
    )
    return Bundle(Path("a bundle"), manifest, "d" * 64)


def compiled(*, plans: bool, ahead: bool = False) -> Compiled:
    place = Place(engine="tensorrt_rtx", version="1.7.1", arch="x86_64", compute_capability="8.6")
    form = Compiled(folder=Path("engines/f"), bytes=5, seconds=1.234, peak_bytes=7, place=place)
    return replace(form, plans={"decoder": RECORD} if plans else {}, ahead=ahead, doubts=("slow",) if plans else ())


def checked(kl: float) -> Checked:
    figures = Figures(
        sequences=2,
        positions=9,
        decided=9,
        top1=1.0,
        top1_decided=1.0,
        first_token=1.0,
        kl=kl,
        perplexity_ratio=1.0,
        same_tokens=2,
    )
    return Checked(
        reference="unquantized",
        engine="onnxruntime",
        figures=figures,
        limits=(Limit("KL", kl, 0.1),),
        components=(),
        worst="",
        advice="Build it again.",
    )


def built(result: Prepared) -> Built:
    chosen = result.bundle.manifest.target
    planned = plan(open_checkpoint(embedded()), chosen, recipe("q4"))
    return Built(
        plan=planned, checked=checked(0.0), prepared=result, decided=Decided(recipe("q4")), notes=("not as asked",)
    )


@pytest.fixture(params=["here", "elsewhere", "silent"])
def gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the target's GPU is: in this machine, in another one, or in one that does not tell."""

    def gpu_for(target: Target) -> Gpu | None:
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


@pytest.mark.parametrize(
    ("name", "arch", "tried", "words"),
    [
        ("rtx3050", "x86_64", True, "does not answer without engines. Build them: edgekit compile 'a bundle'"),
        ("rtx3050", "x86_64", False, "on any x86-64 machine with the extra rtx"),
        ("rtx3050", "any", False, "Still to do, on the device: edgekit compile 'a bundle'"),
        ("orin", "aarch64", False, "with JetPack 6.2 or newer"),
    ],
)
def test_what_is_to_do_where_nothing_was_compiled(
    name: str, arch: Literal["x86_64", "aarch64", "any"], tried: bool, words: str
) -> None:
    chosen = replace(target(name), arch=arch)
    result = built(Prepared(bundle(chosen), NotCompiled(LACKS, tried=tried)))
    assert words in result.next_step
    may_be_it = tried or arch == platform.machine()
    assert result.hindrance == (str(LACKS) if may_be_it else "")
    assert not result.compiled
    document = result.document()
    assert (document["compiled"], document["why"]) == (False, str(LACKS))
    assert "plans" not in document
    assert json.loads(json.dumps(document)) == document


def test_remarks_stand_in_the_order_in_which_they_came_up() -> None:
    result = Prepared(bundle(target("rtx3050")), compiled(plans=True), checked=checked(0.0))
    assert built(result).remarks == ("not as asked", "Note: a note", "slow", "Forced: too large")


def test_an_error_of_compiling_is_raised_where_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> Compiled:
        raise LACKS

    monkeypatch.setattr(prepared, "compile_bundle", refuse)
    with pytest.raises(EdgeKitError, match="no TensorRT"):
        prepared.prepare(bundle(target("rtx3050")))
