"""What a build says to people: parts with their precision, the widened ones, and what is still to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.cli.show.build import show_built
from edgekit.cli.show.check import check_line
from edgekit.console import Console
from edgekit.engines.compile import NotCompiled
from edgekit.machine.gpus import Gpu
from edgekit.pipeline import Prepared
from edgekit.pipeline.precision import Decided
from edgekit.quantize.choose import Choice
from edgekit.quantize.sensitivity import Sensitivity
from edgekit.recipe import recipe
from edgekit.target import target
from edgekit.units import format_bytes
from tests.rendered import rows
from tests.unit.pipeline.case import LACKS, built, bundle, checked, compiled

Capture = pytest.CaptureFixture[str]
CPU = Prepared(bundle(target("cpu")), NotCompiled(LACKS, tried=False))


def test_every_part_of_the_weights_has_its_precision_and_its_bytes(capsys: Capture) -> None:
    done = built(CPU)
    show_built(Console(), done)
    out = capsys.readouterr().out
    shown = rows(out)
    for part in ("vision", "projector", "embedding", "decoder", "lm_head"):
        assert [part, recipe("q4").precision(part), format_bytes(done.plan.components[part])] in shown
    assert check_line(done.checked) in out.splitlines()
    assert "Ask it: edgekit ask 'a bundle' QUESTION --image FILE" in out
    assert "nats lost" not in out


def test_parts_that_were_widened_stand_by_what_they_lose(capsys: Capture) -> None:
    losses = Sensitivity({"lm_head": 0.012, "vision": 0.5}, {})
    decided = Decided(recipe("q4"), losses, Choice(recipe("q4"), 3 << 20, ("vision",)))
    show_built(Console(), replace(built(CPU), decided=decided))
    out = capsys.readouterr().out
    assert rows(out)[1:3] == [["vision", "0.5", "wider"], ["lm_head", "0.012"]]
    assert "Weights take 3.00 MiB." in out


def test_what_may_be_done_with_it_comes_last(capsys: Capture) -> None:
    manifest = CPU.bundle.manifest
    spec = replace(manifest.spec, intended_use="For research alone.")
    noticed = replace(CPU, bundle=replace(CPU.bundle, manifest=replace(manifest, spec=spec)))
    show_built(Console(), built(noticed))
    assert capsys.readouterr().out.splitlines()[-1] == "For research alone."


def test_engines_that_were_built_are_shown_with_how_they_answer(capsys: Capture) -> None:
    show_built(Console(), built(Prepared(bundle(target("rtx3050")), compiled(plans=True), checked=checked(0.0))))
    out = capsys.readouterr().out
    assert "TensorRT's engines are built, for this machine's GPU." in out
    assert "Checked on the GPU: top-1 100.0 %" in out
    assert "Ask it:" in out


@pytest.mark.parametrize("gpu", [None, Gpu("a card")], ids=["none", "a card"])
def test_engines_that_were_not_built_are_what_is_to_do_and_a_processor_answers_where_no_gpu_is(
    gpu: Gpu | None, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("edgekit.pipeline.prepared.gpu_for", lambda target, here: gpu)
    show_built(Console(), built(Prepared(bundle(target("rtx3050")), NotCompiled(LACKS, tried=True))))
    out = capsys.readouterr().out
    assert f"TensorRT's engines are not built: {LACKS.message}\n{LACKS.hint}" in out
    assert "Build them: edgekit compile 'a bundle'\n" in out
    assert ("Ask it:" in out) == (gpu is None)
