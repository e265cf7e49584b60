"""Whole machines, as recorded: what the doctor says of each; and of checks that hang or fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgekit.doctor import Host, Report, examine
from edgekit.doctor.diagnosis import Diagnosis
from edgekit.errors import ConfigError
from edgekit.machine.programs import Reply
from edgekit.target import Target, target
from tests.unit.machine.recordings import (
    CONTAINER,
    DESKTOP,
    ORIN6,
    ORIN7,
    PROVIDERS,
    THOR7,
    VM,
    WSL2,
    Recording,
    lay_cuda_provider,
)


def test_a_check_that_hangs_or_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    release = threading.Event()

    def hangs(host: Host, wanted: Target) -> Iterator[Diagnosis]:
        release.wait(60)
        yield Diagnosis("slow", "good", "at last")

    def fails(host: Host, wanted: Target) -> Iterator[Diagnosis]:
        raise RuntimeError("nobody thought of this")

    def works(host: Host, wanted: Target) -> Iterator[Diagnosis]:
        yield Diagnosis("fast", "good", "fine")
        yield Diagnosis("fast", "bad", "worse", "mend it")

    report = examine(VM.at(tmp_path), target("cpu"), {"slow": hangs, "odd": fails, "fast": works}, limit_s=0.5)
    release.set()
    assert [(diagnosis.subject, diagnosis.state) for diagnosis in report.diagnoses] == [
        ("odd", "unknown"), ("fast", "bad"), ("fast", "good"), ("slow", "unknown"),
    ]  # fmt: skip
    assert "RuntimeError: nobody thought of this" in report.diagnoses[0].what
    assert report.diagnoses[3].what == "no answer within 0.5 s"


def test_where_the_sites_budget_can_not_be_looked_at_the_rest_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of an installed service is closed to everybody else."""

    def closed(wanted: Target) -> Target:
        raise ConfigError("Only root may look", "Run it with sudo.")

    monkeypatch.setattr(import_module("edgekit.doctor.examine"), "with_site_budget", closed)
    (told,) = examine(VM.at(tmp_path), target("cpu"), {}).diagnoses
    assert (told.subject, told.state, told.mend) == ("budget", "unknown", "Run it with sudo.")
    assert "Only root may look" in told.what


def report(root: Path, recording: Recording, name: str = "") -> Report:
    lay_cuda_provider(root / "site")
    return examine(recording.at(root), target(name) if name else None)


def about(examined: Report, subject: str) -> Diagnosis:
    """The worst that was found about a subject."""
    return next(diagnosis for diagnosis in examined.diagnoses if diagnosis.subject == subject)


def bad(examined: Report) -> list[str]:
    return [diagnosis.subject for diagnosis in examined.of("bad")]


@pytest.mark.parametrize(
    ("recording", "name", "unknown"),
    [(VM, "cpu", ["heat"]), (DESKTOP, "rtx3050", []), (ORIN7, "orin", [])],
)
def test_a_machine_in_order_is_its_target_and_healthy(
    tmp_path: Path, recording: Recording, name: str, unknown: list[str]
) -> None:
    examined = report(tmp_path, recording)
    assert (examined.target, examined.detected) == (name, name)
    assert (bad(examined), [diagnosis.subject for diagnosis in examined.of("unknown")]) == ([], unknown)
    assert examined.healthy


def test_an_orin_on_jetpack_6_has_a_runtime_that_is_too_old(tmp_path: Path) -> None:
    examined = report(tmp_path, ORIN6)
    assert (examined.target, bad(examined)) == ("orin", ["extra gpu"])
    assert about(examined, "jetson").what == "NVIDIA Jetson AGX Orin Developer Kit: JetPack 6.2.1, L4T 36.4.3"
    assert about(examined, "driver").what == "540.4.0, runs CUDA up to 12.6"
    assert about(examined, "extra gpu").what == "lacks onnxruntime-gpu>=1.23.2 (has 1.23.0)"
    assert about(examined, "power").what == "mode MAXN (0), clocks follow the load"
    assert about(examined, "heat").what == "50 °C at tj-thermal, slows down at 99"
    assert about(examined, "swap").what == "30.7 GiB on compressed memory (zram), 0 B used"
    assert about(examined, "tensorrt").what == "tensorrt 10.3.0"
    assert (
        about(examined, "gpu nodes").what
        == "open to this user: /dev/nvmap, /dev/nvgpu/igpu0/ctrl, /dev/dri/renderD128, …"
    )


def test_an_orin_on_jetpack_7(tmp_path: Path) -> None:
    examined = report(tmp_path, ORIN7)
    assert about(examined, "jetson").what == "NVIDIA Jetson AGX Orin Developer Kit: JetPack 7, L4T 39.2.0"
    assert about(examined, "driver").what == "595.78, runs CUDA up to 13.2"


def test_an_orin_in_a_container_is_the_target(tmp_path: Path) -> None:
    inside = ORIN6.changed(
        files={".dockerenv": "", "sys/devices/soc0/soc_id": "35\n"}, without=("device-tree", "nvpmodel")
    )
    inside = replace(inside, answers={key: reply for key, reply in inside.answers.items() if "nvidia-smi" not in key})
    examined = report(tmp_path, inside)
    assert examined.detected == "orin"
    assert about(examined, "gpu").what == "NVIDIA Jetson Orin (integrated), compute capability 8.7"
    assert about(examined, "jetson").what == "NVIDIA Jetson Orin: JetPack 6.2.1, L4T 36.4.3"


def test_a_thor_is_no_target_but_runs(tmp_path: Path) -> None:
    examined = report(tmp_path, THOR7)
    assert (examined.target, bad(examined)) == ("cpu", [])
    assert "JetPack 7, L4T 38.2.0" in about(examined, "jetson").what
    asked = report(tmp_path, THOR7, "orin")
    assert "gpu" in bad(asked)
    assert "compute capability 8.7" in about(asked, "gpu").what


def test_a_desktop(tmp_path: Path) -> None:
    examined = report(tmp_path, DESKTOP)
    assert about(examined, "gpu").what == "NVIDIA GeForce RTX 3050, compute capability 8.6, 6.00 GiB"
    assert about(examined, "gpu memory").what == "5.58 GiB free"
    assert about(examined, "swap").what == "8.00 GiB on disk, 512 MiB used"
    assert about(examined, "heat").state == "good"
    larger = report(tmp_path, DESKTOP, "rtx3080")
    assert bad(larger) == ["gpu", "gpu memory"]
    assert "6.00 GiB" in about(larger, "gpu").what


def test_wsl_2_has_its_driver_from_windows_and_a_service_only_with_systemd(tmp_path: Path) -> None:
    examined = report(tmp_path, WSL2)
    assert examined.target == "rtx3050"
    assert bad(examined) == ["systemd"]
    assert "/etc/wsl.conf" in about(examined, "systemd").mend
    assert any("WSL 2" in diagnosis.what for diagnosis in examined.diagnoses)
    assert about(examined, "gpu nodes").state == "good"
    without = WSL2.changed(without=("dxg",), answers={"nvidia-smi": Reply(None, why="is not installed")})
    missing = report(tmp_path / "b", without.changed(answers={"nvidia-smi -q": Reply(9)}), "rtx3050")
    assert "in Windows" in about(missing, "driver").mend
    assert "in Windows" in about(missing, "gpu nodes").mend


def test_wsl_1_is_no_linux(tmp_path: Path) -> None:
    kernel = {"proc/sys/kernel/osrelease": "4.4.0-19041-Microsoft\n"}
    wsl1 = VM.changed(files=kernel, environment={"WSL_DISTRO_NAME": "Ubuntu"})
    diagnosis = about(report(tmp_path, wsl1), "system")
    assert (diagnosis.state, diagnosis.mend) == ("bad", "wsl.exe --set-version Ubuntu 2")


def test_a_bare_vm_cant_be_a_gpu_target(tmp_path: Path) -> None:
    examined = report(tmp_path, VM, "rtx3050")
    assert bad(examined) == ["driver", "gpu", "gpu nodes", "tensorrt"]
    assert {"nvidia-driver" in about(examined, name).mend for name in ("driver", "gpu", "gpu nodes")} == {True}
    assert "edgekit[rtx]" in about(examined, "tensorrt").mend
    assert "system" in bad(report(tmp_path, VM, "orin"))


def test_a_container_started_without_its_gpu(tmp_path: Path) -> None:
    examined = report(tmp_path, CONTAINER, "rtx3050")
    assert bad(examined) == ["driver", "gpu", "gpu nodes"]
    assert {about(examined, name).mend for name in bad(examined)} == {"Start the container with --gpus all."}
    assert about(examined, "memory").what.startswith("2.00 GiB free of 2.00 GiB")
    assert about(examined, "clock").state == "unknown"
    assert about(examined, "systemd").state == "good"


def test_windows_itself(tmp_path: Path) -> None:
    examined = report(tmp_path, VM.changed(system="Windows"))
    assert about(examined, "system").mend == "wsl --install"
    assert "WSL 2" in about(examined, "system").what


def test_a_machine_that_tells_nothing_is_unknown_and_not_bad(tmp_path: Path) -> None:
    silent = Recording(files={}, host={"folder": tmp_path / "nowhere"})
    examined = examine(silent.at(tmp_path))
    unknown = [diagnosis.subject for diagnosis in examined.of("unknown")]
    assert unknown == ["processor", "runtime", "memory", "swap", "clock", "heat", "packages"]
    assert bad(examined) == ["systemd"]


def test_a_disk_that_can_not_be_asked_is_unknown(tmp_path: Path) -> None:
    def broken(path: Path) -> int:
        raise PermissionError(13, "Permission denied")

    examined = report(tmp_path, VM.changed(disk_free=broken))
    assert (about(examined, "disk").state, about(examined, "disk").what) == (
        "unknown",
        f"{tmp_path}: Permission denied",
    )


GARBAGE = st.text(st.characters(codec="utf-8"), max_size=80) | st.sampled_from(
    ["\0", "-1", "9" * 400, "1 2 3 4 5 6", "[]", "[1]", "=\n:", "a,b,c,d", "Filename\nx y -3 z", "0x10de"]
)


@pytest.mark.parametrize("recording", [DESKTOP, ORIN6, WSL2])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_garbage_in_every_file_and_from_every_program_fails_no_check(
    tmp_path_factory: pytest.TempPathFactory, recording: Recording, data: st.DataObject
) -> None:
    files = {name: data.draw(GARBAGE) for name in recording.files if "run/" not in name}
    answers: dict[str, str | Reply] = {
        name: Reply(data.draw(st.sampled_from([0, 1])), data.draw(GARBAGE), data.draw(GARBAGE))
        for name in recording.answers
    }
    examined = report(tmp_path_factory.mktemp("garbage"), recording.changed(files=files, answers=answers), "orin")
    assert not [diagnosis for diagnosis in examined.diagnoses if "the check failed" in diagnosis.what]


def test_every_finding_that_is_bad_says_what_mends_it(tmp_path: Path) -> None:
    broken = DESKTOP.changed(
        packages={"onnxruntime": "1.31.1", "onnxruntime-gpu": "1.31.1"},
        answers={"python": PROVIDERS["cpu"], "nvidia-smi -q": Reply(9, "", "boom")},
        may_open=lambda path: False,
        disk_free=lambda path: 0,
        now=lambda: 0.0,
    )
    examined = report(tmp_path, broken, "rtx3080")
    assert len(examined.of("bad")) >= 6
    assert all(diagnosis.mend for diagnosis in examined.of("bad"))


def test_this_machine() -> None:
    examined = examine(Host())
    subjects = {diagnosis.subject for diagnosis in examined.diagnoses}
    assert subjects >= {"system", "processor", "python", "runtime", "memory", "swap", "disk", "clock", "packages"}
    assert not [diagnosis for diagnosis in examined.diagnoses if "the check failed" in diagnosis.what]
    assert about(examined, "runtime").what.startswith("ONNX Runtime")
    assert about(examined, "memory").state != "unknown"
