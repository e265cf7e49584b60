"""What is said of plans: for whom they are, what they took, how they answered, and when that is an error."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.cli.show.plans import purpose, require_plans, show_prepared
from edgekit.console import Console
from edgekit.engines.compile import Compiled, NotCompiled
from edgekit.engines.place import Place
from edgekit.errors import EdgeKitError, GateRefused
from edgekit.pipeline import Prepared
from edgekit.target import target
from tests.rendered import rows
from tests.unit.pipeline.case import LACKS, RECORD, bundle, checked, compiled

Capture = pytest.CaptureFixture[str]
CARD, CPU = bundle(target("rtx3050")), bundle(target("cpu"))
HERE = Place(engine="tensorrt", version="10.3", arch="x86_64", device="a card", driver="580")


def of(form: Compiled, place: Place) -> str:
    """For what such a form is said to be."""
    return purpose(Prepared(CARD, form), replace(form, place=place))


def test_plans_of_this_machine_name_what_they_are_bound_to() -> None:
    form = compiled(plans=True)
    assert of(form, HERE) == "this machine's a card, driver 580"
    assert of(form, replace(HERE, driver="", l4t="36.4.3")) == "this machine's a card, L4T 36.4.3"
    assert of(form, replace(HERE, device="", driver="")) == "this machine's GPU"
    assert purpose(Prepared(CPU, form), replace(form, place=replace(HERE, device="", driver=""))).endswith("processor")


def test_plans_built_ahead_name_the_release_that_runs_them() -> None:
    said = of(compiled(plans=True, ahead=True), compiled(plans=True).place)
    assert said.startswith("every GeForce RTX 3050, 6 GB (compute capability 8.6) with TensorRT-RTX 1.7.1; ")
    assert "that very release: pip install" in said
    assert "1.7.1" in said.partition("pip install")[2]


def test_each_plan_has_a_line_with_dashes_for_what_the_builder_did_not_tell(capsys: Capture) -> None:
    told = replace(RECORD, device_peak_bytes=3 << 20, fused=(1, 0))
    form = replace(compiled(plans=True), plans={"decoder": told, "projector": RECORD})
    show_prepared(Console(), Prepared(CARD, form, checked=checked(0.0)))
    out = capsys.readouterr().out
    shown = rows(out)
    assert ["decoder", "1.00 MiB", "2.0 s", "2.00 MiB", "3.00 MiB", "1 of 2"] in shown, "one layer, twice"
    assert ["projector", "1.00 MiB", "2.0 s", "2.00 MiB", "–", "–"] in shown
    assert "engines/f: 5 B in 1.2 s, with 7 B of memory" in out
    assert "Checked on the GPU: top-1 100.0 %" in out


def test_a_processor_s_form_is_a_line_alone_and_none_is_nothing(capsys: Capture) -> None:
    show_prepared(Console(), Prepared(CPU, compiled(plans=False)))
    assert capsys.readouterr().out == "engines/f: 5 B in 1.2 s, with 7 B of memory\n"
    show_prepared(Console(), Prepared(CPU, NotCompiled(LACKS, tried=True)))
    assert capsys.readouterr().out == ""


def test_plans_that_could_not_be_asked_are_kept_and_an_error(capsys: Capture) -> None:
    unasked = Prepared(CARD, compiled(plans=True), unasked=LACKS)
    show_prepared(Console(), unasked)
    assert "built and kept, but could not be checked" in capsys.readouterr().err
    with pytest.raises(EdgeKitError, match="no TensorRT"):
        require_plans(Console(), unasked, force=False)
    assert "would be run" not in capsys.readouterr().err, "they would not: they can't be opened"


def test_plans_that_answer_wrongly_are_refused_unless_forced(capsys: Capture) -> None:
    wrong = Prepared(CARD, compiled(plans=True), checked=checked(0.5))
    with pytest.raises(GateRefused, match="fall short"):
        require_plans(Console(), wrong, force=False)
    assert "to do without them, remove engines/f" in capsys.readouterr().err
    require_plans(Console(), wrong, force=True)
    assert "Forced: on the GPU: The answers fall short" in capsys.readouterr().err


def test_plans_that_answer_rightly_are_no_error(capsys: Capture) -> None:
    require_plans(Console(), Prepared(CARD, compiled(plans=True), checked=checked(0.0)), force=False)
    assert capsys.readouterr() == ("", "")
