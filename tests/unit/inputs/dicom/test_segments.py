"""How many entries segments stand for, before anybody draws them out."""

from __future__ import annotations

import pytest

from edgekit.inputs.dicom.header import Unusable
from edgekit.inputs.dicom.segments import check_segments

DISCRETE, LINEAR, COPY = 0, 1, 2


def test_as_many_entries_as_a_palette_has_pass() -> None:
    check_segments([], 2)
    check_segments([DISCRETE, 2, 7, 8, LINEAR, 2**16 - 3, 9, DISCRETE, 1, 5], 2)
    check_segments([DISCRETE, 2, 7, 8, COPY, 1, 0, 0], 2)


@pytest.mark.parametrize(
    ("words", "offset_words"),
    [
        ([LINEAR, 65535, 9, LINEAR, 2, 9], 2),
        ([LINEAR, 255, 9] * 258, 2),
        ([LINEAR, 40000, 9, COPY, 1, 0, 0], 2),
        ([LINEAR, 40000, 9, COPY, 1, 0, 0, 0, 0], 4),
    ],
)
def test_an_entry_more_is_refused(words: list[int], offset_words: int) -> None:
    with pytest.raises(Unusable, match="more than 65536 entries"):
        check_segments(words, offset_words)


def test_copies_of_copies_and_too_many_are_refused() -> None:
    once = [DISCRETE, 1, 7, COPY, 1, 0, 0]
    with pytest.raises(Unusable, match="so many copies"):
        check_segments([*once, COPY, 1, 3, 0], 2)  # of the copy at word 3
    check_segments([DISCRETE, 1, 7, *[COPY, 1, 0, 0] * 256], 2)
    with pytest.raises(Unusable, match="so many copies"):
        check_segments([DISCRETE, 1, 7, *[COPY, 1, 0, 0] * 257], 2)


def test_no_more_words_than_any_palette_takes() -> None:
    with pytest.raises(Unusable, match="262145 words"):
        check_segments([9] * (2**18 + 1), 2)


def test_an_unknown_segment_ends_it() -> None:
    check_segments([DISCRETE, 1, 7, 9, 9, LINEAR, 65535, 0, LINEAR, 65535, 0], 2)
