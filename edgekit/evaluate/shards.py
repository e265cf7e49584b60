"""A list cut into shards for several engines: no picture lies in two of them, so each is read and encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from edgekit.batch.rows import Row


def shards(rows: Sequence[Row], count: int) -> list[tuple[Row, ...]]:
    """Cut ``rows``, in which those about one picture are neighbours, into ``count`` shards of about as many rows.

    Put together, the shards are ``rows`` again. None is empty: there are fewer where there are fewer pictures, or where
    one picture has so many questions that others' shards come to nothing.
    """
    cut: list[list[Row]] = [[] for _ in range(count)]
    before = 0
    for _, group in groupby(rows, attrgetter("images")):
        neighbours = list(group)
        middle = before + len(neighbours) / 2
        cut[int(middle * count / len(rows))] += neighbours
        before += len(neighbours)
    return [tuple(shard) for shard in cut if shard]
