"""Pictures: what stands in them, and what becomes of bad places."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from edgekit.errors import EdgeKitError, MissingExtra
from edgekit.profile.record import Moment, RowRate, Spread
from edgekit.report.pictures import memory_picture, rows_picture
from edgekit.units import GIB, MIB
from tests.unit.profile.made import profile

PHASES = ("opening", "questions", "full contexts")
MOMENTS = tuple(Moment(phase, 10.0 * at, at * MIB * 100, GIB, 0) for at, phase in enumerate(PHASES))


def words(picture: Path) -> str:
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text()))


def test_memory_over_time_names_its_phases_and_its_limits(tmp_path: Path) -> None:
    memory_picture(profile(moments=MOMENTS), tmp_path / "memory.svg")
    said = words(tmp_path / "memory.svg")
    for word in (*PHASES, "static, 1.00 GiB", "peak, 1.50 GiB", "planned peak, 3.00 GiB", "llava-test", "seconds"):
        assert word in said
    assert "on the GPU" not in said


def test_phases_too_short_to_be_told_apart_share_a_place(tmp_path: Path) -> None:
    short = (Moment("opening", 0.0, 1, 1), Moment("a picture", 0.1, 1, 1), Moment("questions", 50.0, 1, 1))
    memory_picture(profile(moments=(*short, replace(short[-1], seconds=100.0))), tmp_path / "memory.svg")
    assert "opening, a picture" in words(tmp_path / "memory.svg")


def test_a_gpu_s_memory_has_its_own_line(tmp_path: Path) -> None:
    moments = tuple(replace(moment, device_bytes=GIB) for moment in MOMENTS)
    memory_picture(profile(moments=moments), tmp_path / "memory.svg")
    assert "on the GPU" in words(tmp_path / "memory.svg")


def test_a_png_is_a_png(tmp_path: Path) -> None:
    memory_picture(profile(moments=MOMENTS), tmp_path / "new" / "memory.png")
    with Image.open(tmp_path / "new" / "memory.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 800


def test_speed_has_a_line_for_each_profile(tmp_path: Path) -> None:
    slow, fast = profile(), profile(recipe="q8", rows=(RowRate(1, Spread.of([900.0])), RowRate(2, Spread.of([1500.0]))))
    rows_picture([slow, fast], tmp_path / "rows.svg")
    said = words(tmp_path / "rows.svg")
    for word in ("llava-test, q4", "llava-test, q8", "Some processor", "rows that decode together"):
        assert word in said


def test_a_profile_without_moments_is_a_picture_all_the_same(tmp_path: Path) -> None:
    memory_picture(profile(moments=()), tmp_path / "memory.png")
    assert (tmp_path / "memory.png").stat().st_size > 1000


def test_a_place_that_can_not_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(EdgeKitError) as error:
        memory_picture(profile(), tmp_path / "file" / "memory.png")
    assert str(tmp_path) in error.value.message


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra) as error:
        memory_picture(profile(), tmp_path / "memory.png")
    assert "edgekit[report]" in error.value.hint
