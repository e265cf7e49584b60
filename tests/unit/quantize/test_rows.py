"""Rows between blocks, written and mapped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgekit.quantize.rows import kept_rows, write_rows

LENGTHS, HIDDEN = [3, 1, 4], 5
SAMPLES = [np.random.default_rng(length).standard_normal((length, HIDDEN)).astype(np.float32) for length in LENGTHS]


def test_rows_are_those_that_were_written(tmp_path: Path) -> None:
    rows = write_rows(tmp_path, 2, iter(SAMPLES), LENGTHS, HIDDEN)
    assert rows.index == 2
    for read, written in zip(rows, SAMPLES, strict=True):
        np.testing.assert_array_equal(read, written)


def test_the_next_rows_take_the_place_of_these(tmp_path: Path) -> None:
    rows = write_rows(tmp_path, 0, iter(SAMPLES), LENGTHS, HIDDEN)
    after = rows.next(x * 2 for x in rows)
    assert after.index == 1
    np.testing.assert_array_equal(np.concatenate([*after]), 2 * np.concatenate(SAMPLES))
    assert len([*tmp_path.iterdir()]) == 1
    after.drop()
    assert not [*tmp_path.iterdir()]


def test_the_furthest_whole_rows_are_gone_on_from(tmp_path: Path) -> None:
    assert kept_rows(tmp_path, LENGTHS, HIDDEN) is None
    for index in (3, 11):
        write_rows(tmp_path, index, iter(SAMPLES), LENGTHS, HIDDEN)
    (tmp_path / "rows-012.f32").write_bytes(bytes(8))  # of other samples
    kept = kept_rows(tmp_path, LENGTHS, HIDDEN)
    assert kept is not None
    assert kept.index == 11
    assert kept_rows(tmp_path, [*LENGTHS, 1], HIDDEN) is None


def test_what_is_interrupted_is_not_there(tmp_path: Path) -> None:
    def broken() -> object:
        yield SAMPLES[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rows(tmp_path, 0, broken(), LENGTHS, HIDDEN)  # type: ignore[arg-type]
    assert kept_rows(tmp_path, LENGTHS, HIDDEN) is None
