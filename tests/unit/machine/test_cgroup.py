"""Control groups as they lie below a root, and a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.machine.cgroup import limiting_groups, memory_peak
from edgekit.machine.detect import detect
from edgekit.machine.room import available_memory
from edgekit.units import MIB
from tests.groups import run_in, small_group

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


def test_a_real_group_s_limit_is_seen() -> None:
    with small_group(640 * MIB) as group:
        done = run_in(group, "-c", "from edgekit.machine.detect import detect; print(detect().memory_bytes)")
    assert int(done.stdout) == 640 * MIB, done.stderr
