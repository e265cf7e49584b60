from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.phantom.scene import KINDS, SIDES, ZONES, Finding, Kind, Side, Zone, scene

# Where each kind can lie, once more and by hand.
PLACES: dict[Kind, set[tuple[Side | None, Zone | None]]] = {
    "heart": {(None, None)},
    "nodule": {(side, zone) for side in SIDES for zone in ZONES},
    "consolidation": {(side, zone) for side in SIDES for zone in ZONES},
    "effusion": {("left", "lower"), ("right", "lower")},
    "pneumothorax": {("left", "upper"), ("right", "upper")},
    "pacemaker": {("left", "upper"), ("right", "upper")},
    "tube": {("left", "lower"), ("right", "lower")},
}
MANY = [scene(seed) for seed in range(4000)]


@given(st.integers(0, 2**40))
def test_a_scene_is_possible_and_always_the_same(seed: int) -> None:
    shown = scene(seed)
    assert shown == scene(seed)
    assert shown.seed == seed
    kinds = [finding.kind for finding in shown.findings]
    assert len(kinds) <= 3
    assert kinds == [kind for kind in KINDS if kind in kinds], "each once, in order"
    places = [(finding.side, finding.zone) for finding in shown.findings if finding.kind != "heart"]
    assert len(set(places)) == len(places), "one finding a zone"
    assert all((finding.side, finding.zone) in PLACES[finding.kind] for finding in shown.findings)


def test_every_finding_occurs_in_every_place() -> None:
    seen = {finding for shown in MANY for finding in shown.findings}
    assert seen == {Finding(kind, *place) for kind in KINDS for place in PLACES[kind]}


def test_counts_come_as_often_as_they_should() -> None:
    counts = Counter(len(shown.findings) for shown in MANY)
    for count, share in enumerate((0.16, 0.28, 0.28, 0.28)):
        assert counts[count] / len(MANY) == pytest.approx(share, abs=0.03)


def test_kinds_and_sides_come_about_as_often() -> None:
    kinds = Counter(finding.kind for shown in MANY for finding in shown.findings)
    assert max(kinds.values()) < 1.25 * min(kinds.values())
    sides = Counter(finding.side for shown in MANY for finding in shown.findings if finding.side)
    assert sides["left"] / sides.total() == pytest.approx(0.5, abs=0.02)


def test_lookups_agree_with_the_findings() -> None:
    for shown in MANY[:500]:
        for kind in KINDS:
            assert shown.find(kind) == next(iter([finding for finding in shown.findings if finding.kind == kind]), None)
        at = [shown.at(side, zone) for side in SIDES for zone in ZONES]
        placed = [finding for finding in shown.findings if finding.kind != "heart"]
        assert Counter(finding for finding in at if finding) == Counter(placed)
        assert Counter(finding for side in SIDES for finding in shown.on(side)) == Counter(placed)
