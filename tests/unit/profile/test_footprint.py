"""What a footprint's figures come to: sums of what was counted at each step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.machine.memory import Memory
from edgekit.profile.footprint import Footprint, PeakOf

FOOTPRINT = Footprint(
    before=Memory(10, 0),
    tokenizer=Memory(12, 0),
    loaded=Memory(100, 900),
    loaded_weights_bytes=50,
    loaded_device_bytes=0,
    loaded_share_bytes=80,
    kv_bytes=40,
    encode=PeakOf(110, 50, 1),
    questions=(PeakOf(120, 50, 2), PeakOf(131, 50, 3)),
    kept_bytes=(100,),
    full=PeakOf(140, 60, 4),
    last=PeakOf(141, 60, 5),
    library_bytes=7,
    source="kernel",
    moments=(),
)


def test_the_host_holds_own_pages_and_every_page_of_the_weights() -> None:
    assert FOOTPRINT.static_bytes == 150
    assert [peak.host_bytes for peak in FOOTPRINT.peaks] == [160, 170, 181, 200, 201]
    assert [peak.device_bytes for peak in FOOTPRINT.peaks] == [1, 2, 3, 4, 5]
    assert FOOTPRINT.mean_question_bytes == round((170 + 181) / 2)


@pytest.mark.parametrize(
    ("kept", "growth"),
    [
        ((100,), 0),
        ((100, 140), 40),
        ((0, 100, 110), 10),  # the first fills caches
        ((0, 50, 100, 110, 120, 130), 10),
        ((900, 800, 700, 600), 0),  # what shrinks does not grow
    ],
)
def test_growth_is_that_of_the_later_half(kept: tuple[int, ...], growth: float) -> None:
    assert replace(FOOTPRINT, kept_bytes=kept).growth_bytes == growth
