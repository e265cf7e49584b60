"""Control groups as they lie below a root, and a real one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgekit.cgroup import limiting_groups, memory_peak
from edgekit.detect import available_memory, detect
from edgekit.units import MIB

V2 = "sys/fs/cgroup/system.slice/edgekit.service"
V1 = "sys/fs/cgroup/memory/system.slice/edgekit.service"
SERVICE = {"proc/self/cgroup": "0::/system.slice/edgekit.service\n"}
OLD = {"proc/self/cgroup": "9:name=systemd:/\n4:memory:/system.slice/edgekit.service\n0::/\n"}
MEMINFO = {"proc/meminfo": f"MemTotal: {8 * 2**20} kB\nMemAvailable: {6 * 2**20} kB\n"}


def root(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "limits"),
    [
        ({}, []),
        (SERVICE, []),
        (SERVICE | {f"{V2}/memory.max": "max\n"}, []),
        (SERVICE | {f"{V2}/memory.max": f"{512 * MIB}\n"}, [512]),
        (SERVICE | {f"{V2}/memory.max": f"{512 * MIB}\n", f"{V2}/../memory.max": f"{256 * MIB}\n"}, [512, 256]),
        (SERVICE | {"sys/fs/cgroup/other/memory.max": f"{MIB}\n"}, []),
        (OLD | {f"{V1}/memory.limit_in_bytes": f"{300 * MIB}\n"}, [300]),
        (OLD | {f"{V1}/memory.limit_in_bytes": "9223372036854771712\n"}, []),
        ({"proc/self/cgroup": "0::/../../outside\n", "sys/fs/cgroup/memory.max": f"{MIB}\n"}, [1]),
        ({"proc/self/cgroup": "garbage\n\n::\n", "sys/fs/cgroup/memory.max": "-5\n"}, []),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": f"{64 * MIB}\n"}, [64]),
    ],
    ids=[
        "no groups",
        "a group without files",
        "no limit",
        "a service's own",
        "its slice's, too",
        "not another's",
        "version 1",
        "version 1 without a limit",
        "outside the namespace",
        "garbage",
        "a container's",
    ],
)
def test_a_process_is_limited_by_its_group_and_those_above(
    files: dict[str, str], limits: list[int], tmp_path: Path
) -> None:
    place = root(tmp_path, files)
    assert [group.limit_bytes for group in limiting_groups(place)] == [size * MIB for size in limits]


def test_the_machine_is_as_large_as_the_smallest_limit(tmp_path: Path) -> None:
    place = root(tmp_path, MEMINFO | SERVICE | {f"{V2}/memory.max": f"{512 * MIB}", f"{V2}/memory.current": "0"})
    assert detect(place, gpus=()).memory_bytes == 512 * MIB
    assert available_memory(place) == 512 * MIB


def test_page_cache_counts_as_free(tmp_path: Path) -> None:
    used = {f"{V2}/memory.max": "1000", f"{V2}/memory.current": "900", f"{V2}/memory.stat": "inactive_file 300\n"}
    assert available_memory(root(tmp_path, MEMINFO | SERVICE | used)) == 400


@pytest.mark.parametrize(
    ("files", "peak"),
    [
        (SERVICE | {f"{V2}/memory.peak": "77\n"}, 77),
        (OLD | {f"{V1}/memory.max_usage_in_bytes": "88\n"}, 88),
        (SERVICE, None),
        ({}, None),
    ],
)
def test_the_peak_is_the_own_group_s(files: dict[str, str], peak: int | None, tmp_path: Path) -> None:
    assert memory_peak(root(tmp_path, files)) == peak


def group_folder() -> Path | None:
    """A group of our own below this process's, where groups of either version can be made here."""
    rows = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for names, tree in (("memory", "/sys/fs/cgroup/memory"), ("", "/sys/fs/cgroup")):
        path = next((path for _, found, path in rows if names in found.split(",")), None)
        if path is not None and os.access(f"{tree}{path}", os.W_OK):
            return Path(f"{tree}{path}") / f"edgekit-test-{os.getpid()}"
    return None


@pytest.fixture
def small_group() -> Iterator[Path]:
    folder = group_folder()
    try:
        if folder is None:
            raise PermissionError
        folder.mkdir()
        limit = next(name for name in ("memory.limit_in_bytes", "memory.max") if (folder / name).exists())
        (folder / limit).write_text(str(640 * MIB))
    except (OSError, StopIteration):
        if folder is not None and folder.exists():
            folder.rmdir()
        pytest.skip("control groups can't be made here")
    yield folder
    folder.rmdir()


def run_in(group: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a control group."""
    script = f'echo $$ > "{group}/cgroup.procs" && exec "$@"'
    return subprocess.run(["sh", "-c", script, "sh", sys.executable, *arguments], capture_output=True, text=True)


def test_a_real_group_s_limit_is_seen(small_group: Path) -> None:
    done = run_in(small_group, "-c", "from edgekit.detect import detect; print(detect().memory_bytes)")
    assert int(done.stdout) == 640 * MIB, done.stderr
