"""Pictures: what stands in them, and what becomes of bad places."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from PIL import Image

from edgekit.errors import EdgeKitError, InputError, MissingExtra
from edgekit.profile.record import Moment, RowRate, Spread
from edgekit.report.pictures import memory_picture, rows_picture
from edgekit.units import GIB, MIB
from tests.unit.profile.made import changed, profile

PHASES = ("opening", "questions", "full contexts")
MOMENTS = tuple(Moment(phase, 10.0 * at, at * MIB * 100, GIB, 0) for at, phase in enumerate(PHASES))


def words(picture: Path) -> str:
    ElementTree.parse(picture)
    return "|".join(re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text()))


def test_memory_over_time_names_its_phases_and_its_limits(tmp_path: Path) -> None:
    memory_picture(profile(moments=MOMENTS), tmp_path / "memory.svg")
    said = words(tmp_path / "memory.svg")
    for word in (*PHASES, "llava-test by q4", "Some processor, 2026-11-01", "seconds"):
        assert word in said
    for limit in ("static, 1.00 GiB", "planned static, 1.00 GiB", "peak, 1.50 GiB", "planned peak, 3.00 GiB"):
        assert limit in said.split("|")
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
    for word in ("llava-test, q4", "llava-test, q8", "Speed on Some processor", "rows that decode together"):
        assert word in said.split("|")


def test_lines_say_what_tells_their_profiles_apart(tmp_path: Path) -> None:
    here = profile()
    card = replace(here, device=replace(here.device, gpu="Some card"))
    rows_picture([here, card], tmp_path / "devices.svg")
    assert {"llava-test, q4, Some processor", "llava-test, q4, Some card", "Speed"} <= set(told(tmp_path, "devices"))
    rows_picture([here, changed(here, slots=4)], tmp_path / "slots.svg")
    assert {"llava-test, q4, 2 × 1024 tokens", "llava-test, q4, 4 × 1024 tokens"} <= set(told(tmp_path, "slots"))
    rows_picture([here, changed(here, made="2026-11-02T12:00:00Z")], tmp_path / "days.svg")
    days = {f"llava-test, q4, {day}T12:00:00Z" for day in ("2026-11-01", "2026-11-02")}
    assert days <= set(told(tmp_path, "days"))


def told(folder: Path, name: str) -> list[str]:
    return words(folder / f"{name}.svg").split("|")


def test_names_are_no_formulas_and_pictures_do_not_differ_from_run_to_run(tmp_path: Path) -> None:
    odd = profile(model="a$\\bad$b", moments=MOMENTS)
    for name in ("one.svg", "two.svg"):
        memory_picture(odd, tmp_path / name)
    assert "a$\\bad$b by q4" in words(tmp_path / "one.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_drawing_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    memory_picture(profile(), tmp_path / "memory.png")
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", ["memory", "memory.gif"])
def test_another_kind_of_picture_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture that can be drawn"):
        rows_picture([profile()], tmp_path / name)
    assert not list(tmp_path.iterdir())


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
