"""What a build's memory is said to be, on machines described by their ``/proc``."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.engines.coefficients import shipped_coefficients
from edgekit.engines.tensorrt.build.need import Need, need
from edgekit.units import GIB, KIB, MIB


def machine(folder: Path, free: int, swap: int) -> Path:
    (folder / "proc").mkdir()
    (folder / "proc/meminfo").write_text(f"MemAvailable:  {free // KIB} kB\nSwapFree:  {swap // KIB} kB\n")
    return folder


def graph(folder: Path, weights: int) -> Path:
    (folder / "decoder.onnx").write_bytes(b"graph")
    with (folder / "decoder.onnx.data").open("wb") as data:
        data.truncate(weights)
    return folder / "decoder.onnx"


def test_a_build_takes_what_a_plan_counts_for_it(tmp_path: Path) -> None:
    known = shipped_coefficients("tensorrt")
    expected = known.compile_base.size_bytes + known.compile_matrix.ratio * 100 * MIB
    assert need(graph(tmp_path, 100 * MIB)).bytes == pytest.approx(expected, abs=1)
    assert need(tmp_path / "none.onnx").bytes == known.compile_base.size_bytes


@pytest.mark.parametrize(
    ("free", "swap", "slow", "unlikely"),
    [(8 * GIB, 0, False, False), (3 * GIB, 2 * GIB, True, False), (3 * GIB, 512 * MIB, True, True)],
)
def test_swap_makes_it_slow_and_without_it_is_unlikely(
    free: int, swap: int, slow: bool, unlikely: bool, tmp_path: Path
) -> None:
    found = need(graph(tmp_path, GIB), machine(tmp_path, free, swap))  # 3.84 GiB
    assert (found.slow, found.unlikely) == (slow, unlikely)


def test_figures_are_said_where_they_are_known(tmp_path: Path) -> None:
    found = need(graph(tmp_path, GIB), machine(tmp_path, 3 * GIB, 512 * MIB))
    assert found.text == "Building decoder.onnx takes about 3.84 GiB of memory, and 3.50 GiB was free when it began"
    assert "narrower weights" in found.remedy
    unknown = need(tmp_path / "decoder.onnx", tmp_path / "nothing")
    assert unknown.text == "Building decoder.onnx takes about 3.84 GiB of memory"
    assert not unknown.slow
    assert not unknown.unlikely
    assert Need("g", 1, 0, 0).remedy.startswith("Building g takes about 1 B of memory. Close other programs")
