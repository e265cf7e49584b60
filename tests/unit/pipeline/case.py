"""Bundles, compiled forms and checks made up, for every way that a build can end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgekit.bundle import Bundle
from edgekit.check import Checked
from edgekit.check.limits import Limit
from edgekit.check.measure import Figures
from edgekit.checkpoint.open import open_checkpoint
from edgekit.engines.backend import PlanRecord
from edgekit.engines.compile import Compiled
from edgekit.engines.place import Place
from edgekit.errors import EngineError
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import Built, Prepared
from edgekit.pipeline.precision import Decided
from edgekit.plan import plan
from edgekit.recipe import recipe
from edgekit.target import Target
from tests.fake_engine import fake_spec
from tests.specs import manifest

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
    noted = replace(fake_spec(), notes=("a note",))
    return Bundle(Path("a bundle"), manifest(spec=noted, target=chosen, forced=("too large",)), "d" * 64)


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
