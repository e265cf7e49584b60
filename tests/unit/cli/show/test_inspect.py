"""A bundle and a checkpoint at a glance: what stands in a line of its own, and what is said where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.bundle.hashes import FileEntry
from edgekit.check.inspect import BundleInspection, InspectedForm
from edgekit.check.verdict import Verdict
from edgekit.checkpoint.inspect import inspect
from edgekit.checkpoint.open import open_checkpoint
from edgekit.cli.show.inspect import show_bundle, show_checkpoint
from edgekit.console import Console
from edgekit.engines.lock import Form, Lock
from edgekit.engines.place import Place
from edgekit.phantom.embedded import embedded
from edgekit.units import format_bytes
from tests.rendered import rows
from tests.specs import SMALL
from tests.unit.check.case import BUNDLE, PERFECT

Capture = pytest.CaptureFixture[str]
CARD = Place(engine="tensorrt", version="10.3", arch="x86_64", device="a card", compute_capability="8.6", driver="580")
LOCK = Lock(format=1, place=CARD, graphs={}, files={"a": FileEntry(2048, "")}, probe="", seconds=1.0, peak_bytes=1)
SHORT = Verdict(
    checked_at="2026-11-01T12:00:00Z",
    place=CARD,
    shortfall="The answers fall short",
    figures=PERFECT,
    components=(),
    first_load_s=1.0,
)


def shown(capsys: Capture, *forms: InspectedForm, verified: bool = False) -> dict[str, list[str]]:
    """Values by the names that stand before them."""
    spec = replace(SMALL, licence="MIT", notes=("one", "two"))
    manifest = replace(BUNDLE.manifest, spec=spec, forced=("too large",), files={"a": FileEntry(100, "")})
    show_bundle(Console(), BundleInspection(replace(BUNDLE, manifest=manifest), forms, verified))
    fields: dict[str, list[str]] = {}
    for name, value in rows(capsys.readouterr().out):
        fields.setdefault(name, []).append(value)
    return fields


def test_a_bundle_says_what_it_is_of_and_for(capsys: Capture) -> None:
    fields = shown(capsys)
    assert fields["bundle of"] == ["toy (test), by EdgeKit 0"]
    assert fields["context"] == [f"{BUNDLE.manifest.context} tokens, 16 of them per image"]
    assert fields["size"] == ["100 B in 1 files"]
    assert (fields["licence"], fields["note"], fields["forced"]) == (["MIT"], ["one", "two"], ["too large"])
    assert "intended use" not in fields
    assert fields["contents"] == ["sizes as sealed; --verify compares every hash"]
    assert shown(capsys, verified=True)["contents"] == ["as sealed"]


def test_a_form_says_for_whom_it_is_and_what_was_said_of_it(capsys: Capture) -> None:
    here, processor = Form(Path("f"), LOCK, ""), replace(LOCK, place=replace(CARD, compute_capability=""))
    said = shown(
        capsys,
        InspectedForm(here, None),
        InspectedForm(here, replace(SHORT, shortfall="")),
        InspectedForm(here, SHORT),
        InspectedForm(here, replace(SHORT, place=replace(CARD, driver="", l4t="36.4.3"))),
        InspectedForm(Form(Path("f"), processor, "it is for another processor"), None),
        InspectedForm(Form(Path("e/f0"), None, "lock.json is not valid JSON"), None),
    )["compiled"]
    plain = "2.00 KiB for tensorrt 10.3 on compute capability 8.6: for this machine"
    assert said[:2] == [plain, plain]
    assert said[2] == f"{plain}. On a card, driver 580, 2026-11-01: The answers fall short"
    assert said[3] == f"{plain}. On a card, L4T 36.4.3, 2026-11-01: The answers fall short"
    assert said[4].endswith("on x86_64: not used here: it is for another processor")
    assert said[5] == "f0: lock.json is not valid JSON"


def test_a_checkpoint_has_a_row_for_each_part_and_its_template_filled_in(capsys: Capture) -> None:
    inspection = inspect(open_checkpoint(embedded()))
    show_checkpoint(Console(), replace(inspection, licence="", intended_use="For research alone."))
    table = rows(capsys.readouterr().out)
    for part in inspection.parts:
        size = format_bytes(part.bytes)
        assert [part.name, part.kind, f"{part.parameters:,}", ", ".join(part.dtypes), size] in table
    fields = {row[0]: row[1] for row in table if len(row) == 2}
    assert "QUESTION" in fields["template"]
    assert fields["licence"] == "none given: ask whoever published it"
    assert fields["intended use"] == "For research alone."
