from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgekit.config.shipped import shipped
from edgekit.machine.detect import Machine, cpu_features, detect
from edgekit.machine.gpus import Gpu
from edgekit.target import matching_target
from tests.unit.machine.nvml import FakeNvml

ORIN = {
    "proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd aes asimdhp asimddp\n\nprocessor\t: 1\n",
    "proc/meminfo": "MemTotal:       64349264 kB\nMemFree: 1 kB\n",
    "proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0",
    "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n",
}
PC = {
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: A CPU\nflags\t\t: fpu sse2 avx2 fma avx512_vnni\n",
    "proc/meminfo": "MemTotal: 8000000 kB\n",
}


def machine(root: Path, files: dict[str, str], arch: str = "x86_64") -> Machine:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return detect(root, arch)


@pytest.fixture
def no_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # importing it raises ImportError


def test_a_jetson_is_recognised(tmp_path: Path) -> None:
    here = machine(tmp_path, ORIN, "aarch64")
    assert here.jetson == "NVIDIA Jetson AGX Orin Developer Kit"
    assert here.l4t == "36.4.3"
    assert here.features == ("asimd", "asimdhp", "asimddp")
    assert (here.cores, here.memory_bytes) == (2, 64349264 * 1024)
    assert [gpu.compute_capability for gpu in here.gpus] == ["8.7"]
    assert matching_target(here).name == "orin"


def test_a_jetson_s_gpu_can_be_hidden_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    here = machine(tmp_path, ORIN, "aarch64")
    assert (here.jetson, here.gpus) == ("NVIDIA Jetson AGX Orin Developer Kit", ())
    assert matching_target(here).name == "cpu"


@pytest.mark.parametrize(
    ("model", "capability"),
    [
        ("NVIDIA Jetson Nano Developer Kit", "5.3"),
        ("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit", "8.7"),
        ("NVIDIA Jetson TX2 NX Developer Kit", "6.2"),
        ("NVIDIA Jetson Xavier NX Developer Kit", "7.2"),
    ],
)
def test_other_jetsons_are_told_from_an_orin(model: str, capability: str, tmp_path: Path) -> None:
    files = {path: model if "model" in path else text for path, text in ORIN.items()}
    [gpu] = machine(tmp_path, files, "aarch64").gpus
    assert gpu.compute_capability == capability


def test_a_container_on_a_jetson_may_hide_its_model(tmp_path: Path) -> None:
    files = {name: text for name, text in ORIN.items() if "model" not in name}
    here = machine(tmp_path, files, "aarch64")
    assert (here.jetson, here.l4t) == ("NVIDIA Jetson", "36.4.3")
    assert matching_target(here).name == "cpu"


CHIP, SOC = "sys/module/tegra_fuse/parameters/tegra_chip_id", "sys/devices/soc0/soc_id"


@pytest.mark.usefixtures("no_nvml")
@pytest.mark.parametrize(
    ("files", "name", "capability"),
    [
        ({CHIP: "35\n"}, "NVIDIA Jetson Orin", "8.7"),
        ({SOC: "35\n"}, "NVIDIA Jetson Orin", "8.7"),
        ({SOC: "jep106:036b:0234\n"}, "NVIDIA Jetson Orin", "8.7"),
        ({SOC: "jep106:0001:0001\n", "sys/devices/soc1/soc_id": "35\n"}, "NVIDIA Jetson Orin", "8.7"),
        ({CHIP: "25\n"}, "NVIDIA Jetson Xavier", "7.2"),
        ({SOC: "38\n"}, "NVIDIA Jetson Thor", "11.0"),
        ({CHIP: "33\n"}, "NVIDIA Jetson", ""),
    ],
)
def test_in_a_container_the_chip_tells_a_jetson_s_family(
    tmp_path: Path, files: dict[str, str], name: str, capability: str
) -> None:
    hidden = {path: text for path, text in ORIN.items() if "model" not in path}
    here = machine(tmp_path, hidden | files, "aarch64")
    assert (here.jetson, here.l4t) == (name, "36.4.3")
    assert here.gpus == (Gpu(f"{name} (integrated)", capability),)
    assert matching_target(here).name == ("orin" if capability == "8.7" else "cpu")
    less = machine(tmp_path, {"proc/meminfo": "MemTotal: 31000000 kB\n"}, "aarch64")
    assert matching_target(less).name == "cpu"


@pytest.mark.usefixtures("no_nvml")
def test_a_tegra_chip_is_a_jetson_s_where_even_the_release_is_hidden(tmp_path: Path) -> None:
    for name, text in ((CHIP, "35\n"), (SOC, "jep106:036b:0234\n")):
        here = machine(tmp_path / text[:3], {name: text}, "aarch64")
        assert (here.jetson, here.l4t) == ("NVIDIA Jetson Orin", "")
    for maker, text in (("qualcomm", "35\n"), ("grace", "jep106:036b:0241\n")):
        assert machine(tmp_path / maker, {SOC: text}, "aarch64").jetson == ""


@pytest.mark.parametrize("without", [("model",), ("model", "release")])
def test_where_the_chip_is_hidden_too_the_driver_tells_the_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: tuple[str, ...]
) -> None:
    files = {name: text for name, text in ORIN.items() if not any(word in name for word in without)}
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(("Orin (nvgpu)", (8, 7), 0)))
    here = machine(tmp_path, files, "aarch64")
    assert here.gpus == (Gpu("NVIDIA Jetson Orin (integrated)", "8.7"),)
    assert matching_target(here).name == "orin"
    by_driver = detect(tmp_path, "aarch64", [Gpu("Orin (nvgpu)", "8.7")])  # as nvidia-smi tells it
    assert by_driver.gpus == here.gpus


def test_a_card_in_a_jetson_does_not_name_its_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {name: text for name, text in ORIN.items() if "model" not in name}
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(("NVIDIA RTX A6000", (8, 6), 2**35)))
    assert machine(tmp_path, files, "aarch64").jetson == "NVIDIA Jetson"


def test_an_orin_with_less_memory_is_not_the_target(tmp_path: Path) -> None:
    half = ORIN | {"proc/meminfo": "MemTotal: 31000000 kB\n"}
    assert matching_target(machine(tmp_path, half, "aarch64")).name == "cpu"


@pytest.mark.usefixtures("no_nvml")
def test_another_board_with_a_device_tree_is_no_jetson(tmp_path: Path) -> None:
    here = machine(tmp_path, {"proc/device-tree/model": "Raspberry Pi 5 Model B\0"}, "arm64")
    assert (here.arch, here.jetson, here.gpus) == ("aarch64", "", ())


@pytest.mark.parametrize(
    ("gpu", "name"),
    [
        (("NVIDIA GeForce RTX 3050", (8, 6), 6 * 2**30), "rtx3050"),
        ((b"NVIDIA GeForce RTX 3080 Laptop GPU", (8, 6), 16 * 2**30 - 2**20), "rtx3080"),
        (("NVIDIA GeForce RTX 3080", (8, 6), 10 * 2**30), "rtx3050"),
        (("NVIDIA GeForce RTX 3050", (8, 6), 4 * 2**30), "cpu"),
        (("NVIDIA H200", (9, 0), 140 * 2**30), "cpu"),
    ],
)
def test_a_graphics_card_is_the_largest_target_that_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpu: tuple[str | bytes, tuple[int, int], int], name: str
) -> None:
    nvml = FakeNvml(gpu)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    here = machine(tmp_path, PC)
    text = gpu[0].decode() if isinstance(gpu[0], bytes) else gpu[0]
    assert here.gpus == (Gpu(text, f"{gpu[1][0]}.{gpu[1][1]}", gpu[2], "580.65", "GPU-0"),)
    assert matching_target(here).name == name
    assert not nvml.open


def test_a_target_for_another_processor_does_not_match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(("NVIDIA RTX A2000", (8, 6), 6 * 2**30)))
    assert matching_target(machine(tmp_path, PC, "aarch64")).name == "cpu"


def test_without_a_driver_there_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(driver=False))
    here = machine(tmp_path, PC)
    assert (here.gpus, here.cpu, here.cores) == ((), "A CPU", 1)
    assert here.features == ("avx2", "fma", "avx512_vnni")
    assert matching_target(here).name == "cpu"


@pytest.mark.usefixtures("no_nvml")
def test_without_the_module_the_driver_tells_the_name(tmp_path: Path) -> None:
    card = {"proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA GeForce RTX 3050\nIRQ: 5\n"}
    here = machine(tmp_path, PC | card)
    assert here.gpus == (Gpu("NVIDIA GeForce RTX 3050"),)
    assert matching_target(here).name == "cpu"


@pytest.mark.usefixtures("no_nvml")
def test_a_container_has_the_memory_that_it_may_use(tmp_path: Path) -> None:
    assert machine(tmp_path, PC | {"sys/fs/cgroup/memory.max": "max\n"}).memory_bytes == 8_000_000 * 1024
    assert machine(tmp_path, {"sys/fs/cgroup/memory.max": "1073741824\n"}).memory_bytes == 2**30


@pytest.mark.usefixtures("no_nvml")
def test_a_machine_without_any_of_these_files(tmp_path: Path) -> None:
    here = detect(tmp_path, "arm64")
    assert here.cores >= 1
    assert here.memory_bytes > 0
    assert (here.features, here.gpus, here.jetson, here.l4t) == ((), (), "", "")
    assert matching_target(here).name == "cpu"


def test_gpus_that_the_driver_told_already_are_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(("NVIDIA H200", (9, 0), 2**37)))
    gpu = Gpu("NVIDIA GeForce RTX 3050", "8.6", 6 * 2**30, "580.95.05")
    assert detect(tmp_path, "x86_64", [gpu]).gpus == (gpu,)
    assert detect(tmp_path, "x86_64", []).gpus == ()


def test_this_machine() -> None:
    here = detect()
    assert here.memory_bytes > 2**28
    assert here.features == cpu_features()
    assert matching_target(here).name in shipped("targets")
