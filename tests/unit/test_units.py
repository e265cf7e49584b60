from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import ConfigError
from edgekit.units import format_bytes, parse_bytes


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("6 GiB", 6 * 2**30),
        ("0.5KiB", 512),
        (" 750 mb ", 750_000_000),
        ("204.8 GB", 204_800_000_000),
        ("1 TiB", 2**40),
        ("12 B", 12),
    ],
)
def test_sizes_are_read(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "6", "GiB", "6 Gib/s", "-1 GiB", "1,5 GiB", "6 GiB 1 MiB", "inf B", "٣ GiBs"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (4_111_804_928, "3.83 GiB"), (2**40 * 2048, "2048 TiB")],
)
def test_sizes_are_written(count: int, text: str) -> None:
    assert format_bytes(count) == text


@given(st.integers(0, 2**50))
def test_what_is_written_reads_back_within_its_three_figures(count: int) -> None:
    assert parse_bytes(format_bytes(count)) == pytest.approx(count, rel=0.0051)
