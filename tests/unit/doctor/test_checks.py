"""Single checks: what each says of a machine that differs in one thing from one in order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import edgekit
from edgekit.doctor.capacity import disk, memory, swap
from edgekit.doctor.clock import clock
from edgekit.doctor.extras import extras
from edgekit.doctor.finding import Finding
from edgekit.doctor.heat import heat
from edgekit.doctor.host import Host, Reply
from edgekit.doctor.jetson import jetson, power
from edgekit.doctor.nodes import nodes
from edgekit.doctor.nvidia import driver, gpu
from edgekit.doctor.runtime import cuda, runtime
from edgekit.doctor.system import processor, python, system
from edgekit.doctor.tensorrt import tensorrt
from edgekit.target import Budget, Target, target
from tests.unit.doctor.machines import (
    DESKTOP,
    LDD_LACKING,
    NOW,
    NTP,
    ORIN6,
    ORIN7,
    PROVIDERS,
    SWAPS,
    UUID,
    VM,
    WSL2,
    Recording,
    lay_cuda_provider,
    lay_package,
    status,
    zone,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Check = Callable[[Host, Target], Iterable[Finding]]
PROMISING = replace(target("orin"), budget=replace(target("orin").budget, tokens_per_s=20.0))


@pytest.fixture
def says(tmp_path: Path) -> Callable[..., list[tuple[str, str, str]]]:
    """State, what, mend of each finding of a check about a recording."""

    numbers = count()

    def ask(
        check: Check, recording: Recording, wanted: str | Target = "cpu", root: Path | None = None
    ) -> list[tuple[str, str, str]]:
        host = recording.at(root or tmp_path / f"machine {next(numbers)}")
        chosen = _named(wanted) if isinstance(wanted, str) else wanted
        return [(found.state, found.what, found.mend) for found in check(host, chosen)]

    return ask


def _named(name: str) -> Target:
    """A target that ships; with "-cuda" behind its name, as ONNX Runtime's CUDA provider runs it."""
    shipped = target(name.removesuffix("-cuda"))
    return replace(shipped, engine="onnxruntime-cuda") if name.endswith("-cuda") else shipped


Says = Callable[..., list[tuple[str, str, str]]]
MISMATCH = "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.95\n"
FAILED = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that …\n"


@pytest.mark.parametrize(
    ("reply", "state", "what", "mend"),
    [
        (Reply(18, MISMATCH), "bad", "updated but not restarted", "sudo reboot"),
        (Reply(9, FAILED), "bad", "kernel module is not loaded", "sudo modprobe nvidia"),
        (Reply(6, "No devices were found\n"), "bad", "nvidia-smi fails: No devices were found", "sudo modprobe"),
        (Reply(None, why="is not installed"), "bad", "no driver", "sudo ubuntu-drivers install"),
        (Reply(None, why="gave no answer within 10 s"), "unknown", "gave no answer", "dmesg"),
        (Reply(None, why="can't be run: Permission denied"), "unknown", "Permission denied", ""),
    ],
)
def test_a_driver_in_trouble(says: Says, reply: Reply, state: str, what: str, mend: str) -> None:
    [found] = says(driver, DESKTOP.changed(answers={"nvidia-smi -q": reply}), "rtx3050")
    assert found[0] == state
    assert what in found[1]
    assert mend in found[2]


def test_a_card_that_the_target_does_not_need_may_lack_its_driver(says: Says) -> None:
    [found] = says(driver, DESKTOP.changed(answers={"nvidia-smi -q": Reply(9, FAILED)}), "cpu")
    assert found[0] == "good"
    assert "ubuntu-drivers" in found[2]


def test_a_driver_in_its_newer_spelling(says: Says) -> None:
    newer = DESKTOP.changed(answers={"nvidia-smi -q": status("610.57.04", "13.3", new=True)})
    assert says(driver, newer, "rtx3050") == [("good", "610.57.04, runs CUDA up to 13.3", "")]


def test_a_gpu_whose_driver_does_not_tell_its_compute_capability(says: Says) -> None:
    old = DESKTOP.changed(
        answers={"nvidia-smi --query-gpu=name": f"NVIDIA GeForce RTX 3050, [N/A], 6144, 470.1, {UUID}\n"}
    )
    assert [found[0] for found in says(gpu, old, "rtx3050")] == ["good", "unknown"]


@pytest.mark.parametrize(
    ("more", "mend"),
    [
        ({}, "sudo usermod -aG video $USER   then log in again"),
        ({"group": lambda path: "render" if "dri" in path.parts else "video"}, "sudo usermod -aG render,video $USER"),
        ({"group": lambda path: "root"}, "Give them to the group video by a udev rule."),
        ({"files": {"etc/group": "root:x:0:\nvideo:x:44:ubuntu,field\n"}}, "Log out and in again"),
        ({"files": {"etc/group": "video:x:44:somebody\n"}}, "sudo usermod -aG video $USER"),
        ({"files": {".dockerenv": ""}}, "Start the container with --group-add video."),
    ],
)
def test_gpu_nodes_that_are_closed_to_the_user(says: Says, more: dict[str, object], mend: str) -> None:
    closed = ORIN6.changed(may_open=lambda path: path.name != "nvmap" and "dri" not in path.parts, **more)  # type: ignore[arg-type]
    [found] = says(nodes, closed, "orin")
    assert (found[0], "/dev/nvmap" in found[1]) == ("bad", True)
    assert mend in found[2]


def test_gpu_nodes_that_are_missing(says: Says) -> None:
    [found] = says(nodes, DESKTOP.changed(without=("uvm",)), "rtx3050")
    assert found == ("bad", "missing: /dev/nvidia-uvm", "sudo nvidia-modprobe -u -c=0")
    assert says(nodes, VM, "cpu") == []


def test_both_builds_of_the_runtime(says: Says) -> None:
    both = VM.changed(packages={"onnxruntime": "1.31.1", "onnxruntime-gpu": "1.31.1"})
    [found] = says(runtime, both, "cpu")
    assert found[2] == "pip uninstall -y onnxruntime onnxruntime-gpu && pip install --no-cache-dir onnxruntime"
    [found] = says(runtime, both, "rtx3050-cuda")
    assert (found[0], found[2].endswith(" onnxruntime-gpu")) == ("bad", True)


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
    [found] = says(runtime, cpu, name)
    assert (found[0], "without CUDA" in found[1]) == ("bad", True)
    assert mend in found[2]


@pytest.mark.parametrize(
    ("packages", "name", "state", "what", "mend"),
    [
        ({}, "rtx3050", "bad", "computes on it", "edgekit[rtx]"),
        ({"tensorrt": "8.6.1"}, "rtx3080", "bad", "too old", "edgekit[rtx]"),
        ({"tensorrt-rtx-cu13": "1.7.1.116"}, "rtx3050", "bad", "lacks cuda-python", "cuda-python==13.*"),
        ({"tensorrt": "10.3.0", "cuda-python": "12.9.0"}, "rtx3050", "good", "tensorrt 10.3.0", ""),
    ],
)
def test_tensorrt_where_a_target_computes_on_it(
    says: Says, packages: dict[str, str], name: str, state: str, what: str, mend: str
) -> None:
    found = next(one for one in says(tensorrt, DESKTOP.changed(packages=packages), name) if one[0] == state)
    assert (what in found[1], mend in found[2]) == (True, True)
    assert says(tensorrt, DESKTOP.changed(packages={}), "cpu") == []


def test_a_jetson_s_tensorrt_comes_with_jetpack(says: Says) -> None:
    [found] = says(tensorrt, ORIN6.changed(packages={}), "orin")
    assert "nvidia-jetpack" in found[2]
    [found] = [one for one in says(tensorrt, ORIN6.changed(packages={"tensorrt": "10.3.0"}), "orin") if one[0] == "bad"]
    assert "cuda-python==12.*" in found[2]


DRIVER_550 = status("550.163.01", "12.4")
UPDATE = "sudo ubuntu-drivers install nvidia:580 && sudo reboot"


@pytest.mark.parametrize(
    ("recording", "packages", "name", "what", "mend"),
    [
        (DESKTOP, {"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "13.0.1"}, "rtx3050", "runs CUDA 13", UPDATE),
        (DESKTOP, {"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "12.9.0"}, "rtx3050", "runs CUDA 13", UPDATE),
        (DESKTOP, {"tensorrt": "10.14", "tensorrt-cu13": "10.14", "cuda-python": "13.0.1"}, "rtx3050", "13", UPDATE),
        (WSL2, {"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "13.0.1"}, "rtx3050", "up to 12.4", "in Windows"),
        (
            DESKTOP,
            {"tensorrt-cu12": "10.14", "cuda-python": "13.0.1"},
            "rtx3050",
            "cuda-python 13.0.1 is for CUDA 13, the driver runs up to 12.4",
            "pip install 'cuda-python==12.*'",
        ),
        (DESKTOP, {"tensorrt-rtx-cu12": "1.7.1", "cuda-bindings": "13.0.1"}, "rtx3050", "cuda-bindings 13", "==12.*'"),
    ],
)
def test_a_driver_of_an_older_cuda_than_the_packages(
    says: Says, recording: Recording, packages: dict[str, str], name: str, what: str, mend: str
) -> None:
    old = recording.changed(packages=packages, answers={"nvidia-smi -q": DRIVER_550})
    [found] = [one for one in says(tensorrt, old, name) if one[0] == "bad"]
    assert (what in found[1], mend in found[2]) == (True, True)
    ready = recording.changed(packages=packages)  # a driver of CUDA 13 runs both
    assert [one[0] for one in says(tensorrt, ready, name)] == ["good"]


def test_packages_are_not_held_against_a_driver_that_does_not_tell_its_cuda(says: Says) -> None:
    ahead = VM.changed(packages={"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "13.0.1"})
    assert [one[0] for one in says(tensorrt, ahead, "rtx3050")] == ["good"]


def test_a_jetson_s_cuda_python_is_of_its_system_s_cuda(says: Says) -> None:
    packages = {"tensorrt": "10.3.0", "cuda-python": "13.4.4"}
    newer = ORIN6.changed(packages=packages)
    [found] = [one for one in says(tensorrt, newer, "orin") if one[0] == "bad"]
    assert found[1:] == (
        "cuda-python 13.4.4 is for CUDA 13, the driver runs up to 12.6",
        "pip install 'cuda-python==12.*'",
    )
    silent = newer.changed(answers={"nvidia-smi": Reply(None, why="is not installed")})
    silent = replace(silent, answers={key: one for key, one in silent.answers.items() if "smi -" not in key})
    assert says(tensorrt, silent, "orin")[-1][2] == "pip install 'cuda-python==12.*'"
    older = ORIN7.changed(packages={"tensorrt": "10.16.2", "cuda-python": "12.9.0"})
    assert [one[0] for one in says(tensorrt, older, "orin")] == ["good"]
    other = ORIN6.changed(packages={"tensorrt-cu13": "10.14", "cuda-python": "12.9.0"})
    assert says(tensorrt, other, "orin")[0][2] == "pip uninstall tensorrt-cu13   (a Jetson has its own with JetPack)"


def test_tensorrt_rtx_alone_is_nothing_to_a_jetson(says: Says) -> None:
    alone = ORIN7.changed(packages={"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "13.2.0"})
    [found] = says(tensorrt, alone, "orin")
    assert (found[0], "compute capability 8.7" in found[1], "nvidia-jetpack" in found[2]) == ("bad", True, True)
    both = ORIN7.changed(packages={"tensorrt": "10.16.2", "tensorrt-rtx-cu13": "1.6", "cuda-python": "13.2.0"})
    assert [one[0] for one in says(tensorrt, both, "orin")] == ["good"]


@pytest.mark.parametrize("packages", [{}, {"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "13.0.1"}])
def test_a_pc_s_tensorrt_says_nothing_of_an_orin_s(says: Says, packages: dict[str, str]) -> None:
    [found] = says(tensorrt, DESKTOP.changed(packages=packages), "orin")
    assert found == (
        "unknown",
        "target orin is for aarch64: a Jetson has TensorRT of its own with JetPack",
        "edgekit doctor   (on the device)",
    )


SECOND = "GPU-77777777-0a77-4d12-9c55-6b1f0e2d8a34"
TWO = DESKTOP.changed(
    answers={
        "nvidia-smi --query-gpu=name": f"NVIDIA GeForce RTX 3050, 8.6, 6144, 580.95.05, {UUID}\n"
        f"NVIDIA GeForce RTX 3080 Laptop GPU, 8.6, 16384, 580.95.05, {SECOND}\n",
        "nvidia-smi --query-gpu=memory.free": f"5712, {UUID}\n16000, {SECOND}\n",
    }
)


@pytest.mark.parametrize("chosen", ["0", UUID, UUID[:12]])
def test_gpus_are_those_that_the_user_chose(says: Says, tmp_path: Path, chosen: str) -> None:
    one = TWO.changed(environment={"CUDA_VISIBLE_DEVICES": chosen})
    assert [gpu.name for gpu in one.at(tmp_path).machine.gpus] == ["NVIDIA GeForce RTX 3050"]
    found = says(gpu, one, "rtx3080")
    assert [state for state, _, _ in found] == ["good", "good", "bad"]
    assert found[1][1:] == (
        f"CUDA_VISIBLE_DEVICES={chosen} hides NVIDIA GeForce RTX 3080 Laptop GPU from EdgeKit",
        "unset CUDA_VISIBLE_DEVICES",
    )
    assert [one[:2] for one in says(memory, one, "rtx3050")][1] == ("good", "5.58 GiB free")
    assert [state for state, _, _ in says(gpu, TWO, "rtx3080")] == ["good", "good"]
    assert says(memory, TWO, "rtx3080")[1][1] == "15.6 GiB free"


@pytest.mark.parametrize("recording", [DESKTOP, ORIN6])
def test_a_gpu_that_is_hidden_is_not_there_and_says_why(says: Says, recording: Recording) -> None:
    listed = {"proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t NVIDIA GeForce RTX 3050\n"}
    hidden = recording.changed(files=listed, environment={"CUDA_VISIBLE_DEVICES": ""})
    name = "orin" if recording is ORIN6 else "rtx3050"
    found = says(gpu, hidden, name)
    assert [state for state, _, _ in found] == ["good", "bad"]
    assert (found[1][1].endswith("CUDA_VISIBLE_DEVICES hides it"), found[1][2]) == (True, "unset CUDA_VISIBLE_DEVICES")
    assert len(says(memory, hidden, name)) == 1


def test_a_runtime_that_does_not_start(says: Says) -> None:
    error = "Traceback (most recent call last):\nImportError: libstdc++.so.6: cannot open shared object file\n"
    [found] = says(runtime, VM.changed(answers={"python": Reply(1, "", error)}))
    assert (found[0], found[2]) == ("bad", "pip install --force-reinstall --no-cache-dir onnxruntime")
    assert found[1].endswith("libstdc++.so.6: cannot open shared object file")
    crashed = VM.changed(packages={}, answers={"python": Reply(-11)})
    assert says(runtime, crashed)[0][::2] == ("bad", "pip install onnxruntime")
    hung = VM.changed(answers={"python": Reply(None, why="gave no answer within 60 s")})
    assert says(runtime, hung)[0][0] == "unknown"


def test_cuda_libraries_that_the_loader_does_not_find(says: Says, tmp_path: Path) -> None:
    lay_cuda_provider(tmp_path / "site")
    lacking = DESKTOP.changed(answers={"ldd": LDD_LACKING, "ldconfig -p": "1 libs found in cache\n"})
    [found] = says(cuda, lacking, "rtx3050-cuda", tmp_path)
    assert found[1] == "not found: libcublasLt.so.13, libcublas.so.13, libcurand.so.10, libcudnn.so.9"
    assert "onnxruntime-gpu[cuda,cudnn]" in found[2]
    for name in ("cublas/lib/libcublas.so.13", "cublas/lib/libcublasLt.so.13", "cudnn/lib/libcudnn.so.9"):
        (tmp_path / "site/nvidia" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site/nvidia" / name).touch()
    [found] = says(cuda, lacking, "rtx3050-cuda", tmp_path)
    assert found[2] == f"export LD_LIBRARY_PATH={tmp_path}/site/nvidia/cublas/lib:{tmp_path}/site/nvidia/cudnn/lib"


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
    told = nowhere.changed(environment={"LD_LIBRARY_PATH": ":/usr/lib/aarch64-linux-gnu"})
    assert says(cuda, told, "orin-cuda", tmp_path)[0][0] == "good"


def test_no_ldd_leaves_the_libraries_unknown(says: Says, tmp_path: Path) -> None:
    lay_cuda_provider(tmp_path / "site")
    [found] = says(
        cuda, DESKTOP.changed(answers={"ldd": Reply(1, "", "not a dynamic executable\n")}), "rtx3050-cuda", tmp_path
    )
    assert found[:2] == ("unknown", "ldd not a dynamic executable")


def test_a_jetson_that_is_half_updated_too_old_or_silent(says: Says) -> None:
    core = "dpkg-query -W -f=${db:Status-Status} ${Version} nvidia-l4t-core"
    [found] = says(jetson, ORIN6.changed(answers={core: "installed 36.4.4-20250616085344"}))
    assert (found[0], found[2]) == ("bad", "sudo apt full-upgrade && sudo reboot")
    [found] = says(jetson, ORIN6.changed(answers={core: "config-files 36.4.4-20250616085344"}))
    assert found[0] == "good"
    old = ORIN6.changed(
        files={"etc/nv_tegra_release": "# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref\n"}
    )
    [found] = says(jetson, old)
    assert (found[0], "3.8" in found[1]) == ("bad", True)
    [found] = says(jetson, ORIN6.changed(without=("nv_tegra_release",)))
    assert found[0] == "unknown"


def test_a_capped_power_mode_is_bad_only_where_speed_is_promised(says: Says) -> None:
    capped = ORIN6.changed(answers={"nvpmodel -q": "NV Power Mode: MODE_30W\n2\n"})
    silent = replace(target("orin"), budget=Budget())
    [found] = says(power, capped, silent)
    assert says(power, capped, "cpu") == [found]
    assert found == (
        "good",
        "mode MODE_30W (2), clocks follow the load: caps speed; fine where it is meant",
        "sudo nvpmodel -m 0",
    )
    [found] = says(power, capped, PROMISING)
    assert (found[0], found[2]) == ("bad", "sudo nvpmodel -m 0")
    held = ORIN6.changed(files={"sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq": "2201600\n"})
    assert says(power, held, PROMISING) == [("good", "mode MAXN (0), clocks held high (jetson_clocks)", "")]
    missing = ORIN6.changed(answers={"nvpmodel -q": Reply(None, why="is not installed")})
    assert says(power, missing, "orin")[0][0] == "unknown"


def test_throttling_by_the_supply(says: Says) -> None:
    weak = ORIN6.changed(files={"sys/class/hwmon/hwmon3/oc1_event_cnt": "4\n"})
    assert [found[0] for found in says(power, weak, "orin")] == ["good", "bad"]
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
    [found] = says(clock, ORIN6.changed(now=lambda: 30.0, without=("rtc",)))
    assert found[:2] == ("bad", "the clock says 1970-01-01 00:00 UTC, yet EdgeKit's files are of 2026-09-14 14:13 UTC")
    assert "timedatectl set-ntp true" in found[2]


def test_a_hardware_clock_without_a_battery(says: Says) -> None:
    found = says(clock, ORIN6.changed(files={"sys/class/rtc/rtc0/since_epoch": "86400\n"}))
    assert [state for state, _, _ in found] == ["good", "bad"]
    assert "hwclock --systohc" in found[1][2]
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
    [found] = says(clock, VM.changed(answers={"timedatectl show": text}))
    assert found[0] == state
    assert mend in found[2]


def test_memory_against_what_the_target_may_take(says: Says) -> None:
    short = ORIN6.changed(files={"proc/meminfo": "MemTotal: 64349264 kB\nMemAvailable: 9000000 kB\n"})
    [found] = says(memory, short, "orin")
    assert found[:2] == ("bad", "8.58 GiB free of 61.4 GiB; target orin may take 14.9 GiB")
    assert says(memory, short, "cpu")[0][0] == "good"
    full = DESKTOP.changed(answers={"nvidia-smi --query-gpu=memory.free": "312\n"})
    assert [found[0] for found in says(memory, full, "rtx3050")] == ["good", "bad"]
    silent = DESKTOP.changed(answers={"nvidia-smi --query-gpu=memory.free": "[N/A]\n"})
    assert [found[0] for found in says(memory, silent, "rtx3050")] == ["good", "unknown"]


def test_disk_has_room_for_two_releases(says: Says) -> None:
    [found] = says(disk, DESKTOP.changed(disk_free=lambda path: 19 * 2**30), "rtx3050")
    assert (found[0], "takes 20.0 GiB with two releases" in found[1]) == ("bad", True)
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
    [found] = says(processor, VM.changed(files=cpuinfo), name)
    assert found[0] == state


def test_python_that_belongs_to_the_system(says: Says) -> None:
    managed = VM.changed(files={"usr/lib/python3.12/EXTERNALLY-MANAGED": "[externally-managed]\n"}, virtual=False)
    [found] = says(python, managed)
    assert "venv" in found[2]
    assert says(python, managed.changed(virtual=True)) == [("good", "3.12.3 in a virtual environment", "")]
    assert says(python, VM.changed(python=(3, 8, 10)))[0][0] == "bad"


def test_a_processor_that_is_not_the_targets(says: Says) -> None:
    assert says(system, ORIN7, "rtx3050")[1][::2] == ("bad", "edgekit doctor --target orin")
    assert says(system, VM.changed(arch="riscv64"))[1][0] == "bad"
    assert says(system, WSL2)[1][0] == "good"


def own_metadata() -> str:
    """What an installed EdgeKit says that it needs: its pyproject.toml in the words of core metadata."""
    project = tomllib.loads((Path(edgekit.__file__).parents[1] / "pyproject.toml").read_text())["project"]
    lines = [f"Requires-Dist: {line}" for line in project["dependencies"]]
    for extra, needed in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        for line in needed:
            what, _, marker = line.partition(";")
            also = f"({marker.strip()}) and " if marker else ""
            lines.append(f'Requires-Dist: {what}; {also}extra == "{extra}"')
    return "\n".join(lines) + "\n"


def test_every_extra_of_the_project_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    host = VM.changed(packages={"onnxruntime-gpu": "1.31.1", "pydicom": "2.4"}).at(tmp_path)
    lay_package(tmp_path / "site", "edgekit", "0.1", own_metadata())
    found = {finding.subject: finding for finding in extras(host, target("cpu"))}
    project = tomllib.loads((Path(edgekit.__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert found.keys() == {"packages", *(f"extra {name}" for name in project["optional-dependencies"])}
    assert "click" in found["packages"].what
    assert "onnxruntime" not in found["packages"].what  # the GPU build stands for it
    assert ("tomli" in found["packages"].what) == (sys.version_info < (3, 11))
    assert (found["extra dicom"].state, "pydicom>=3 (has 2.4)" in found["extra dicom"].what) == ("bad", True)
    assert {found[f"extra {name}"].state for name in ("tune", "gpu")} == {"good"}
    assert next(f for f in extras(host, _named("rtx3050-cuda")) if f.subject == "extra gpu").state == "bad"


def test_a_jetson_s_extra_matters_on_a_jetson_alone(tmp_path: Path) -> None:
    lay_package(tmp_path / "a/site", "edgekit", "0.1", own_metadata())
    lay_package(tmp_path / "b/site", "edgekit", "0.1", own_metadata())
    other = {"cuda-python": "12.9.0" if sys.version_info >= (3, 12) else "13.4.4"}
    [found] = (
        f for f in extras(DESKTOP.changed(packages=other).at(tmp_path / "a"), target("rtx3050")) if "jet" in f.subject
    )
    assert (found.state, "needs none of it" in found.what) == ("good", True)
    [found] = (
        f for f in extras(ORIN6.changed(packages=other).at(tmp_path / "b"), target("orin")) if "jet" in f.subject
    )
    assert (found.state, found.mend) == ("bad", "pip install 'edgekit[jetson]'")
    assert f"(has {other['cuda-python']})" in found.what


def jetson_s_cuda_python(python: str) -> list[SpecifierSet]:
    """What the extra asks for under a Python."""
    project = tomllib.loads((Path(edgekit.__file__).parents[1] / "pyproject.toml").read_text())["project"]
    asked = map(Requirement, project["optional-dependencies"]["jetson"])
    return [
        one.specifier
        for one in asked
        if one.name == "cuda-python" and (one.marker is None or one.marker.evaluate({"python_version": python}))
    ]


@pytest.mark.parametrize(("python", "runs", "not_run"), [("3.10", "12.9.10", "13.0.1"), ("3.12", "13.4.4", "14.0.0")])
def test_a_jetson_gets_the_cuda_python_that_its_driver_runs(python: str, runs: str, not_run: str) -> None:
    [asked] = jetson_s_cuda_python(python)
    assert (asked.contains(runs), asked.contains(not_run)) == (True, False)


def test_no_mend_of_an_extra_puts_both_builds_of_the_runtime_side_by_side(tmp_path: Path) -> None:
    lay_package(tmp_path / "site", "edgekit", "0.1", own_metadata())
    both = "pip uninstall -y onnxruntime onnxruntime-gpu && pip install --no-cache-dir onnxruntime-gpu"
    gpu = DESKTOP.changed(packages={"onnxruntime-gpu": "1.31.1"}).at(tmp_path)
    mends = {found.subject: found.mend for found in extras(gpu, _named("rtx3050-cuda"))}
    assert not any("edgekit[" in mend for mend in mends.values())
    assert mends["extra tune"] == "pip install 'torch>=2.7' 'transformers>=5'"
    assert "onnxruntime" not in mends["extra gpu"]
    (tmp_path / "site/onnxruntime_gpu-1.31.1.dist-info/METADATA").unlink()
    (tmp_path / "site/onnxruntime_gpu-1.31.1.dist-info").rmdir()
    cpu = DESKTOP.changed(packages={"onnxruntime": "1.31.1"}).at(tmp_path)
    mends = {found.subject: found.mend for found in extras(cpu, _named("rtx3050-cuda"))}
    assert mends["extra tune"] == "pip install 'edgekit[tune]'"
    assert mends["extra gpu"].startswith(f"{both}; pip install 'cuda-python")


def test_packages_whose_metadata_is_broken_are_passed_over(tmp_path: Path) -> None:
    host = VM.at(tmp_path)
    (tmp_path / "site/numpy-2.3.dist-info").mkdir()  # what an interrupted pip leaves
    lay_package(tmp_path / "site", "click", "not-a-version")
    more = "Requires-Dist: ???\nRequires-Dist: click>=8\nRequires-Dist: numpy\n"
    lay_package(tmp_path / "site", "edgekit", "0.1", more)
    [found] = extras(host, target("cpu"))
    assert (found.state, found.what, found.mend) == ("bad", "lacks numpy", "pip install 'numpy'")
