"""Single checks: what each says of a machine that differs in one thing from one in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.doctor.capacity import disk, memory, swap
from edgekit.doctor.clock import clock
from edgekit.doctor.heat import heat
from edgekit.doctor.jetson import jetson, power
from edgekit.doctor.runtime import cuda, runtime
from edgekit.doctor.system import processor, python, system
from edgekit.machine.programs import Reply
from edgekit.target import Budget, target
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import (
    DESKTOP,
    LDD_LACKING,
    NOW,
    NTP,
    ORIN6,
    ORIN7,
    PROVIDERS,
    SWAPS,
    VM,
    WSL2,
    Recording,
    lay_cuda_provider,
    status,
    zone,
)

PROMISING = replace(target("orin"), budget=replace(target("orin").budget, tokens_per_s=20.0))


def test_both_builds_of_the_runtime(says: Says) -> None:
    both = VM.changed(packages={"onnxruntime": "1.31.1", "onnxruntime-gpu": "1.31.1"})
    [diagnosis] = says(runtime, both, "cpu")
    assert diagnosis[2] == "pip uninstall -y onnxruntime onnxruntime-gpu && pip install --no-cache-dir onnxruntime"
    [diagnosis] = says(runtime, both, "rtx3050-cuda")
    assert (diagnosis[0], diagnosis[2].endswith(" onnxruntime-gpu")) == ("bad", True)


@pytest.mark.parametrize(
    ("recording", "name", "mend"),
    [
        (VM, "rtx3050-cuda", "pip install --no-cache-dir onnxruntime-gpu"),
        (ORIN7, "orin-cuda", "pip install --no-cache-dir onnxruntime-gpu"),
        (ORIN6, "orin-cuda", "JetPack 6"),
    ],
)
def test_a_runtime_without_cuda(says: Says, recording: Recording, name: str, mend: str) -> None:
    cpu = recording.changed(packages={"onnxruntime": "1.31.1"}, answers={"python": PROVIDERS["cpu"]})
    [diagnosis] = says(runtime, cpu, name)
    assert (diagnosis[0], "without CUDA" in diagnosis[1]) == ("bad", True)
    assert mend in diagnosis[2]


def test_a_runtime_that_does_not_start(says: Says) -> None:
    error = "Traceback (most recent call last):\nImportError: libstdc++.so.6: cannot open shared object file\n"
    [diagnosis] = says(runtime, VM.changed(answers={"python": Reply(1, "", error)}))
    assert (diagnosis[0], diagnosis[2]) == ("bad", "pip install --force-reinstall --no-cache-dir onnxruntime")
    assert diagnosis[1].endswith("libstdc++.so.6: cannot open shared object file")
    crashed = VM.changed(packages={}, answers={"python": Reply(-11)})
    assert says(runtime, crashed)[0][::2] == ("bad", "pip install onnxruntime")
    hung = VM.changed(answers={"python": Reply(None, why="gave no answer within 60 s")})
    assert says(runtime, hung)[0][0] == "unknown"


def test_cuda_libraries_that_the_loader_does_not_find(says: Says, tmp_path: Path) -> None:
    lay_cuda_provider(tmp_path / "site")
    lacking = DESKTOP.changed(answers={"ldd": LDD_LACKING, "ldconfig -p": "1 libs found in cache\n"})
    [diagnosis] = says(cuda, lacking, "rtx3050-cuda", tmp_path)
    assert diagnosis[1] == "not found: libcublasLt.so.13, libcublas.so.13, libcurand.so.10, libcudnn.so.9"
    assert "onnxruntime-gpu[cuda,cudnn]" in diagnosis[2]
    for name in ("cublas/lib/libcublas.so.13", "cublas/lib/libcublasLt.so.13", "cudnn/lib/libcudnn.so.9"):
        (tmp_path / "site/nvidia" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site/nvidia" / name).touch()
    [diagnosis] = says(cuda, lacking, "rtx3050-cuda", tmp_path)
    assert diagnosis[2] == f"export LD_LIBRARY_PATH={tmp_path}/site/nvidia/cublas/lib:{tmp_path}/site/nvidia/cudnn/lib"


def test_cudnn_is_found_where_the_provider_opens_it_and_tells_its_version(says: Says, tmp_path: Path) -> None:
    lay_cuda_provider(tmp_path / "site", "12.6")
    folder = tmp_path / "usr/lib/aarch64-linux-gnu"
    folder.mkdir(parents=True)
    (folder / "libcudnn.so.9.3.0").touch()
    (folder / "libcudnn.so.9").symlink_to("libcudnn.so.9.3.0")
    cache = f"12 libs found in cache\n\tlibcudnn.so.9 (libc6,AArch64) => {folder}/libcudnn.so.9\n"
    whole = ORIN6.changed(answers={"ldd": "\tlibcudart.so.12 => /x (0x1)\n", "ldconfig -p": cache})
    assert says(cuda, whole, "orin-cuda", tmp_path) == [
        ("good", "CUDA 12.6 libraries, cuDNN 9.3.0, found by the loader", "")
    ]
    nowhere = ORIN6.changed(answers={"ldd": "\tlibcudart.so.12 => /x (0x1)\n"})
    assert says(cuda, nowhere, "orin-cuda", tmp_path)[0][::2] == (
        "bad",
        "sudo apt update && sudo apt install nvidia-jetpack",
    )
    searching = nowhere.changed(environment={"LD_LIBRARY_PATH": ":/usr/lib/aarch64-linux-gnu"})
    assert says(cuda, searching, "orin-cuda", tmp_path)[0][0] == "good"


def test_no_ldd_leaves_the_libraries_unknown(says: Says, tmp_path: Path) -> None:
    lay_cuda_provider(tmp_path / "site")
    [diagnosis] = says(
        cuda, DESKTOP.changed(answers={"ldd": Reply(1, "", "not a dynamic executable\n")}), "rtx3050-cuda", tmp_path
    )
    assert diagnosis[:2] == ("unknown", "ldd not a dynamic executable")


def test_a_jetson_that_is_half_updated_too_old_or_silent(says: Says) -> None:
    core = "dpkg-query -W -f=${db:Status-Status} ${Version} nvidia-l4t-core"
    [diagnosis] = says(jetson, ORIN6.changed(answers={core: "installed 36.4.4-20250616085344"}))
    assert (diagnosis[0], diagnosis[2]) == ("bad", "sudo apt full-upgrade && sudo reboot")
    [diagnosis] = says(jetson, ORIN6.changed(answers={core: "config-files 36.4.4-20250616085344"}))
    assert diagnosis[0] == "good"
    old = ORIN6.changed(
        files={"etc/nv_tegra_release": "# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref\n"}
    )
    [diagnosis] = says(jetson, old)
    assert (diagnosis[0], "3.8" in diagnosis[1]) == ("bad", True)
    [diagnosis] = says(jetson, ORIN6.changed(without=("nv_tegra_release",)))
    assert diagnosis[0] == "unknown"


def test_a_capped_power_mode_is_bad_only_where_speed_is_promised(says: Says) -> None:
    capped = ORIN6.changed(answers={"nvpmodel -q": "NV Power Mode: MODE_30W\n2\n"})
    silent = replace(target("orin"), budget=Budget())
    [diagnosis] = says(power, capped, silent)
    assert says(power, capped, "cpu") == [diagnosis]
    assert diagnosis == (
        "good",
        "mode MODE_30W (2), clocks follow the load: caps speed; fine where it is meant",
        "sudo nvpmodel -m 0",
    )
    [diagnosis] = says(power, capped, PROMISING)
    assert (diagnosis[0], diagnosis[2]) == ("bad", "sudo nvpmodel -m 0")
    held = ORIN6.changed(files={"sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq": "2201600\n"})
    assert says(power, held, PROMISING) == [("good", "mode MAXN (0), clocks held high (jetson_clocks)", "")]
    missing = ORIN6.changed(answers={"nvpmodel -q": Reply(None, why="is not installed")})
    assert says(power, missing, "orin")[0][0] == "unknown"


def test_throttling_by_the_supply(says: Says) -> None:
    weak = ORIN6.changed(files={"sys/class/hwmon/hwmon3/oc1_event_cnt": "4\n"})
    assert [diagnosis[0] for diagnosis in says(power, weak, "orin")] == ["good", "bad"]
    peaks = ORIN6.changed(files={"sys/class/hwmon/hwmon3/oc3_event_cnt": "37\n"})
    assert says(power, peaks, "orin")[1][:2] == (
        "good",
        "throttled 37 times for over-current since the start: peaks above the mode's power",
    )


def test_heat(says: Says) -> None:
    hot = says(heat, ORIN6.changed(files=zone(8, "tj-thermal", 99.5)))
    assert hot[0][:2] == ("bad", "tj-thermal is at 100 °C and slows down from 99 °C on")
    off = says(heat, ORIN6.changed(files={"sys/class/thermal/thermal_zone8/temp": "-256000\n"}))
    assert off == [("good", "48 °C at cpu-thermal, slows down at 99", "")]
    slow = DESKTOP.changed(answers={"nvidia-smi -q": status("580.95.05", "13.0", reason="SW Thermal Slowdown")})
    assert says(heat, slow)[-1][:2] == ("bad", "the GPU holds its clocks back: SW Thermal Slowdown")
    assert says(heat, DESKTOP)[-1][:2] == ("good", "41 °C at the GPU, not throttling")


def test_a_clock_that_started_in_1970(says: Says) -> None:
    [diagnosis] = says(clock, ORIN6.changed(now=lambda: 30.0, without=("rtc",)))
    assert diagnosis[:2] == (
        "bad",
        "the clock says 1970-01-01 00:00 UTC, yet EdgeKit's files are of 2026-09-14 14:13 UTC",
    )
    assert "timedatectl set-ntp true" in diagnosis[2]


def test_a_hardware_clock_without_a_battery(says: Says) -> None:
    diagnoses = says(clock, ORIN6.changed(files={"sys/class/rtc/rtc0/since_epoch": "86400\n"}))
    assert [state for state, _, _ in diagnoses] == ["good", "bad"]
    assert "hwclock --systohc" in diagnoses[1][2]
    second = {"sys/class/rtc/rtc0/since_epoch": "86400\n", "sys/class/rtc/rtc1/since_epoch": f"{int(NOW)}\n"}
    assert len(says(clock, ORIN6.changed(files=second))) == 1


@pytest.mark.parametrize(
    ("text", "state", "mend"),
    [
        (NTP, "good", ""),
        (NTP.replace("Synchronized=yes", "Synchronized=no"), "unknown", "timedatectl set-ntp true"),
        (NTP.replace("Synchronized=yes", "Synchronized=no").replace("CanNTP=yes", "CanNTP=no"), "unknown", "timesyncd"),
        ("garbage", "unknown", "date"),
    ],
)
def test_whether_a_server_confirmed_the_time(says: Says, text: str, state: str, mend: str) -> None:
    [diagnosis] = says(clock, VM.changed(answers={"timedatectl show": text}))
    assert diagnosis[0] == state
    assert mend in diagnosis[2]


def test_memory_against_what_the_target_may_take(says: Says) -> None:
    short = ORIN6.changed(files={"proc/meminfo": "MemTotal: 64349264 kB\nMemAvailable: 9000000 kB\n"})
    [diagnosis] = says(memory, short, "orin")
    assert diagnosis[:2] == ("bad", "8.58 GiB free of 61.4 GiB; target orin may take 14.9 GiB")
    assert says(memory, short, "cpu")[0][0] == "good"
    full = DESKTOP.changed(answers={"nvidia-smi --query-gpu=memory.free": "312\n"})
    assert [diagnosis[0] for diagnosis in says(memory, full, "rtx3050")] == ["good", "bad"]
    silent = DESKTOP.changed(answers={"nvidia-smi --query-gpu=memory.free": "[N/A]\n"})
    assert [diagnosis[0] for diagnosis in says(memory, silent, "rtx3050")] == ["good", "unknown"]


def test_disk_has_room_for_two_releases(says: Says) -> None:
    [diagnosis] = says(disk, DESKTOP.changed(disk_free=lambda path: 19 * 2**30), "rtx3050")
    assert (diagnosis[0], "takes 20.0 GiB with two releases" in diagnosis[1]) == ("bad", True)
    assert says(disk, DESKTOP.changed(disk_free=lambda path: 21 * 2**30), "rtx3050")[0][0] == "good"


def test_swap(says: Says) -> None:
    assert says(swap, VM)[0][1].startswith("none")
    both = SWAPS + "/dev/zram0 partition 1048576 0 5\n/swapfile file 1048576 524288 -2\n"
    assert says(swap, VM.changed(files={"proc/swaps": both}))[0][1] == "2.00 GiB on disk and zram, 512 MiB used"
    assert says(swap, VM.changed(without=("swaps",)))[0][0] == "unknown"


@pytest.mark.parametrize(
    ("flags", "name", "state"),
    [
        ("fpu sse2", "cpu", "bad"),
        ("fpu sse2", "rtx3050", "good"),
        ("avx2 fma", "cpu", "good"),
        ("avx2 avx_vnni", "cpu", "good"),
        ("", "cpu", "unknown"),
    ],
)
def test_the_processor_counts_where_it_computes(says: Says, flags: str, name: str, state: str) -> None:
    cpuinfo = {"proc/cpuinfo": f"processor\t: 0\nmodel name\t: QEMU Virtual CPU\nflags\t\t: {flags}\n"}
    [diagnosis] = says(processor, VM.changed(files=cpuinfo), name)
    assert diagnosis[0] == state


def test_python_that_belongs_to_the_system(says: Says) -> None:
    managed = VM.changed(files={"usr/lib/python3.12/EXTERNALLY-MANAGED": "[externally-managed]\n"}, virtual=False)
    [diagnosis] = says(python, managed)
    assert "venv" in diagnosis[2]
    assert says(python, managed.changed(virtual=True)) == [("good", "3.12.3 in a virtual environment", "")]
    assert says(python, VM.changed(python=(3, 8, 10)))[0][0] == "bad"


def test_a_processor_that_is_not_the_targets(says: Says) -> None:
    assert says(system, ORIN7, "rtx3050")[1][::2] == ("bad", "edgekit doctor --target orin")
    assert says(system, VM.changed(arch="riscv64"))[1][0] == "bad"
    assert says(system, WSL2)[1][0] == "good"
