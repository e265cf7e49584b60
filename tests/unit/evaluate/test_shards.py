"""Shards: all rows, each once, in their order, no picture in two of them, and about equally many."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edgekit.batch.rows import Row
from edgekit.evaluate.shards import shards


def rows_about(counts: list[int]) -> list[Row]:
    """Rows of which so many are about each picture in turn."""
    pictures = [number for number, count in enumerate(counts) for _ in range(count)]
    return [Row(id, "Why?", (f"{picture}.png",), Path()) for id, picture in enumerate(pictures)]


@given(st.lists(st.integers(1, 9), max_size=30), st.integers(1, 8))
def test_shards_are_the_rows_cut_between_pictures_into_like_sizes(counts: list[int], count: int) -> None:
    rows = rows_about(counts)
    cut = shards(rows, count)
    assert list(chain.from_iterable(cut)) == rows
    assert len(cut) <= count
    pictures = [{row.images for row in shard} for shard in cut]
    assert sum(map(len, pictures)) == len(counts)
    assert all(0 < len(shard) <= len(rows) / count + max(counts) for shard in cut)


def test_equal_pictures_are_dealt_equally() -> None:
    assert [len(shard) for shard in shards(rows_about([2] * 6), 3)] == [4, 4, 4]
    assert [len(shard) for shard in shards(rows_about([1, 1]), 5)] == [1, 1]
    assert shards([], 3) == []
