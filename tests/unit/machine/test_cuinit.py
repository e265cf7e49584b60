"""A start of CUDA: the process that tries it, and what its answers are read as."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgekit.machine.cuinit import Start, start_cuda
from edgekit.machine.programs import Reply, run
from tests.unit.machine.recordings import CUINIT, DESKTOP

LIBRARY = """\
#include <stddef.h>
int cuInit(unsigned flags) { return CODE; }
int cuDeviceGetCount(int *count) { *count = 2; return 0; }
int cuGetErrorName(int code, const char **name) { *name = code ? "CUDA_ERROR_NO_DEVICE" : "CUDA_SUCCESS"; return 0; }
"""


@pytest.mark.parametrize(
    ("reply", "start"),
    [
        ('[0, 1, "CUDA_SUCCESS"]\n', Start(0, 1, "CUDA_SUCCESS")),
        ('noise of a library\n[100, 0, "CUDA_ERROR_NO_DEVICE"]\n', Start(100, 0, "CUDA_ERROR_NO_DEVICE")),
        ("", None),
        ("[1, 2]", None),
        ('["x", 0, ""]', None),
        (Reply(-11), None),
        (Reply(None, why="gave no answer within 60 s"), None),
    ],
)
def test_answers(tmp_path: Path, reply: str | Reply, start: Start | None) -> None:
    assert start_cuda(DESKTOP.changed(answers={CUINIT: reply}).at(tmp_path))[0] == start


@pytest.mark.parametrize(
    ("code", "start"), [(0, Start(0, 2, "CUDA_SUCCESS")), (100, Start(100, 0, "CUDA_ERROR_NO_DEVICE"))]
)
def test_the_process_asks_the_library_that_the_loader_finds(tmp_path: Path, code: int, start: Start) -> None:
    (tmp_path / "cuda.c").write_text(LIBRARY.replace("CODE", str(code)))
    command = ("cc", "-shared", "-fPIC", "-o", str(tmp_path / "libcuda.so.1"), str(tmp_path / "cuda.c"))
    if run(command, 60, os.environ).code != 0:
        pytest.skip("no C compiler that works")
    host = DESKTOP.changed(runner=run, environment={"LD_LIBRARY_PATH": str(tmp_path)}).at(tmp_path / "machine")
    assert start_cuda(host)[0] == start


def test_the_process_says_that_there_is_no_library(tmp_path: Path) -> None:
    empty = tmp_path / "libcuda.so.1"
    empty.write_text("no library")
    host = DESKTOP.changed(runner=run, environment={"LD_LIBRARY_PATH": str(tmp_path)}).at(tmp_path / "machine")
    start = start_cuda(host)[0]
    assert start is not None
    assert (start.code, start.gpus, "libcuda.so.1" in start.name) == (-1, 0, True)
