"""The units' texts: what of them holds for every machine, and what a target and a machine change."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from edgekit.deploy.layout import Layout
from edgekit.deploy.systemd import START_S
from edgekit.deploy.unit import (
    TEMPLATE_SHA256,
    Settings,
    check_unit_text,
    rollback_unit_text,
    sysusers_text,
    text,
    unit_files,
    unit_text,
)
from edgekit.errors import ConfigError
from edgekit.serve.server import CLOSE_S
from edgekit.target import target
from edgekit.units import GIB
from tests.units import Unit, parse, value

NODES = ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl")
MACHINE = Settings(memory_bytes=16 * GIB, systemd=249)
# What systemd 247, the oldest that this is held against, knows of what the units say (its NEWS has when each came).
KNOWN = {
    "Unit": (
        "After Before ConditionPathExists Description OnFailure RequiresMountsFor StartLimitBurst "
        "StartLimitIntervalSec Wants"
    ),
    "Install": "WantedBy",
    "Service": (
        "BindReadOnlyPaths CapabilityBoundingSet DeviceAllow DevicePolicy Environment EnvironmentFile ExecStart "
        "Group IOSchedulingClass KillMode KillSignal LimitCORE LimitMEMLOCK LoadCredential LockPersonality "
        "MemoryDenyWriteExecute MemoryHigh MemoryMax Nice NoNewPrivileges NotifyAccess OOMPolicy OOMScoreAdjust "
        "PrivateDevices PrivateNetwork PrivateTmp PrivateUsers ProcSubset "
        "ProtectClock ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs ProtectKernelModules "
        "ProtectKernelTunables ProtectProc ProtectSystem ReadWritePaths RemoveIPC Restart RestartPreventExitStatus "
        "RestartSec RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID StateDirectory "
        "StateDirectoryMode SyslogIdentifier SystemCallArchitectures SystemCallErrorNumber SystemCallFilter "
        "TemporaryFileSystem TimeoutStartSec TimeoutStopSec Type UMask User WatchdogSec WorkingDirectory"
    ),
}
HARDENED = {
    "User": "edgekit",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "ReadWritePaths": "/etc/edgekit",
    "StateDirectory": "edgekit",
    "UMask": "0077",
    "LimitCORE": "0",
}


def on_processor(settings: Settings = MACHINE, layout: Layout | None = None) -> Unit:
    return parse(unit_text(layout or Layout(), target("cpu"), (), settings))


def on_gpu(settings: Settings = MACHINE, name: str = "rtx3050") -> Unit:
    return parse(unit_text(Layout(), target(name), NODES, settings))


@pytest.mark.parametrize("name", ["cpu", "rtx3050", "orin"])
def test_nothing_in_the_units_is_unknown_to_the_oldest_systemd(name: str) -> None:
    nodes = NODES if target(name).kind.on_gpu else ()
    for unit in map(parse, unit_files(Layout(), target(name), nodes, MACHINE).values()):
        for section, settings in unit.items():
            assert settings.keys() <= set(KNOWN[section].split()), section
    assert "$" not in sysusers_text()


@pytest.mark.parametrize("unit", [on_processor(), on_gpu()], ids=["processor", "gpu"])
def test_every_service_is_closed_in(unit: Unit) -> None:
    assert {name: value(unit, name) for name in HARDENED} == HARDENED
    names = [name for name in unit["Service"] if name.startswith(("Protect", "Restrict"))]
    assert len(names) == 13
    assert all(value(unit, name) != "no" for name in names)


@pytest.mark.parametrize("unit", [on_processor(), on_gpu()], ids=["processor", "gpu"])
def test_a_service_is_started_watched_and_stopped_as_serve_ends(unit: Unit) -> None:
    assert value(unit, "Type") == "notify"
    assert value(unit, "NotifyAccess") == "main"
    assert value(unit, "WatchdogSec") == "60"
    assert value(unit, "Restart") == "always", "one that ends by itself in a trial is not one that somebody stopped"
    assert value(unit, "RestartPreventExitStatus") == "2 3"
    assert (value(unit, "KillMode"), value(unit, "KillSignal")) == ("mixed", "SIGTERM")
    assert unit["Unit"]["OnFailure"] == ["edgekit-rollback.service"]
    assert unit["Unit"]["StartLimitBurst"] == ["3"]
    assert unit["Install"]["WantedBy"] == ["multi-user.target"]
    longest = 3 * (int(value(unit, "RestartSec")) + target("orin").budget.load_s)  # type: ignore[operator]
    assert longest < int(unit["Unit"]["StartLimitIntervalSec"][0]), "a model that loads slowly never makes a loop"


def test_only_a_failure_for_good_is_gone_back_from() -> None:
    for version, modes in ((247, None), (249, None), (253, None), (254, ["direct"]), (257, ["direct"])):
        settings = replace(MACHINE, systemd=version)
        assert on_processor(settings)["Service"].get("RestartMode") == modes
        assert on_gpu(settings)["Service"].get("RestartMode") == modes


def test_the_systemd_is_that_of_the_root_file_system(tmp_path: Path) -> None:
    settings, layout = replace(MACHINE, systemd=None), Layout(tmp_path)
    assert "RestartMode" not in on_processor(settings, layout)["Service"], "there is none"
    library = tmp_path / "usr/lib/aarch64-linux-gnu/systemd/libsystemd-shared-255.so"
    library.parent.mkdir(parents=True)
    library.touch()
    assert on_processor(settings, layout)["Service"]["RestartMode"] == ["direct"]


def test_what_is_not_known_of_a_device_is_left_open() -> None:
    unknown = replace(MACHINE, memory_bytes=None)
    unit = parse(unit_text(Layout(), target("orin"), None, unknown))
    assert (value(unit, "DevicePolicy"), value(unit, "PrivateDevices")) == ("auto", "no")
    assert "DeviceAllow" not in unit["Service"]
    assert (value(unit, "MemoryMax"), value(unit, "MemoryHigh")) == ("75%", "65%")
    assert (
        "for node in ; do"
        in unit_files(Layout(), target("orin"), None, unknown)["/etc/systemd/system/edgekit-gpu.service"]
    )


def test_a_stop_leaves_the_answers_their_time() -> None:
    for grace_s in (0.0, 30.0, 600.5):
        stop_s = int(value(on_processor(replace(MACHINE, grace_s=grace_s)), "TimeoutStopSec"))
        assert grace_s + CLOSE_S < stop_s < grace_s + 20


def test_a_release_is_seen_through_a_mount_alone() -> None:
    unit = on_processor(layout=Layout(Path("/nowhere"), PurePosixPath("/data/edgekit")))
    assert value(unit, "BindReadOnlyPaths") == "/data/edgekit/current:/mnt/release"
    assert value(unit, "TemporaryFileSystem") == "/mnt:ro"
    assert unit["Unit"]["RequiresMountsFor"] == ["/data/edgekit"]
    command = value(unit, "ExecStart")
    assert command.startswith("/usr/bin/python3 -s -m edgekit serve /mnt/release/bundle --host ${EDGEKIT_HOST} --port ")
    assert "PYTHONPATH=/mnt/release/site:/mnt/release/system" in " ".join(unit["Service"]["Environment"])
    assert "/data/edgekit" not in command
    assert "nowhere" not in str(unit)


def test_a_processor_needs_no_device_and_writes_no_code() -> None:
    unit = on_processor()
    assert value(unit, "PrivateDevices") == value(unit, "MemoryDenyWriteExecute") == "yes"
    assert not unit["Service"].keys() & {"DeviceAllow", "LimitMEMLOCK"}
    assert unit["Service"]["SystemCallFilter"] == ["@system-service", "~@privileged", "~@resources", "setpriority"]
    assert unit["Unit"]["Wants"] == ["edgekit-check.timer"]


def test_a_gpu_opens_what_it_needs_and_no_more() -> None:
    unit = on_gpu()
    assert unit["Service"]["DeviceAllow"] == [f"{node} rw" for node in NODES]
    assert value(unit, "DevicePolicy") == "closed"
    assert value(unit, "PrivateDevices") == value(unit, "MemoryDenyWriteExecute") == "no"
    assert unit["Service"]["SystemCallFilter"] == ["@system-service", "~@privileged"]
    assert unit["Unit"]["Wants"] == ["edgekit-check.timer", "edgekit-gpu.service"]
    assert "edgekit-gpu.service" in unit["Unit"]["After"]
    differing = {name for name, values in on_processor()["Service"].items() if unit["Service"].get(name) != values}
    assert differing == {"SystemCallFilter", "MemoryDenyWriteExecute", "PrivateDevices"}


def test_each_exception_has_its_reason_above_it() -> None:
    lines = unit_text(Layout(), target("orin"), NODES, MACHINE).splitlines()
    for name in ("MemoryDenyWriteExecute", "PrivateDevices", "LimitMEMLOCK", "ProcSubset", "RestrictAddressFamilies"):
        (place,) = (number for number, line in enumerate(lines) if line.startswith(f"{name}="))
        assert lines[place - 1].startswith("# "), name


def test_limits_of_memory_leave_the_machine_its_own() -> None:
    def limits(unit: Unit) -> tuple[float, float]:
        return int(value(unit, "MemoryMax")) / GIB, int(value(unit, "MemoryHigh")) / GIB

    assert limits(on_processor()) == (15.0, 13.125), "less what the target reserves"
    assert limits(on_gpu()) == (15.0, 13.125), "the GPU has its own"
    most, _ = limits(on_gpu(replace(MACHINE, memory_bytes=61 * GIB), "orin"))
    assert most == pytest.approx(61 - 6 - 14.86, abs=1e-6), "what the GPU may hold is not counted by control groups"
    assert limits(on_processor(replace(MACHINE, memory_bytes=GIB)))[0] == 0.5, "half of it at least"


def test_credentials_are_handed_over_by_systemd() -> None:
    paths = [PurePosixPath(f"/etc/credstore/{name}") for name in ("hospital.pem", "hospital.key", "ward.key")]
    unit = on_processor(replace(MACHINE, certificate=paths[0], certificate_key=paths[1], ward_key=paths[2]))
    assert unit["Service"]["LoadCredential"] == [
        *("tls.crt:/etc/credstore/hospital.pem", "tls.key:/etc/credstore/hospital.key"),
        "ward.key:/etc/credstore/ward.key",
    ]
    end = " --cert ${CREDENTIALS_DIRECTORY}/tls.crt --key ${CREDENTIALS_DIRECTORY}/tls.key"
    assert value(unit, "ExecStart").endswith(end)
    assert "LoadCredential" not in on_processor()["Service"]
    assert "CREDENTIALS" not in value(on_processor(), "ExecStart")


def test_going_back_runs_no_code_of_a_release_on_trial() -> None:
    unit = parse(
        rollback_unit_text(Layout(prefix=PurePosixPath("/data/edgekit")), PurePosixPath("/usr/bin/python3.11"))
    )
    assert "PYTHONPATH=/data/edgekit/state/rescue/site:" in value(unit, "Environment")
    assert value(unit, "ExecStart").startswith("/usr/bin/python3.11 -s -m edgekit rollback ")
    assert value(unit, "Type") == "oneshot"
    assert "/data/edgekit/current" not in str(unit)


def test_the_gpu_is_waited_for_before_the_service_starts() -> None:
    units = unit_files(Layout(), target("rtx3050"), NODES, MACHINE)
    assert list(units) == [f"/etc/systemd/system/edgekit{end}.service" for end in ("", "-rollback", "-check", "-gpu")]
    unit = parse(units["/etc/systemd/system/edgekit-gpu.service"])
    assert unit["Unit"]["Before"] == ["edgekit.service"]
    makes, waits = unit["Service"]["ExecStart"]
    assert makes.startswith("-/"), "where there is no such program, it is not needed"
    assert all(node in waits for node in NODES)
    assert len(unit_files(Layout(), target("cpu"), (), MACHINE)) == 3


@pytest.mark.parametrize("name", ["cpu", "rtx3050"])
def test_the_nightly_check_runs_the_code_that_is_not_on_trial_and_opens_what_the_service_may(name: str) -> None:
    layout, nodes = Layout(prefix=PurePosixPath("/data/edgekit")), NODES if name != "cpu" else ()
    unit = parse(check_unit_text(layout, target(name), nodes, MACHINE))
    service = parse(unit_text(layout, target(name), nodes, MACHINE))
    assert value(unit, "ExecStart") == "/usr/bin/python3 -s -m edgekit status --check --prefix /data/edgekit"
    assert "PYTHONPATH=/data/edgekit/state/rescue/site:" in value(unit, "Environment")
    assert value(unit, "ReadWritePaths") == "/data/edgekit"
    for setting in ("DeviceAllow", "DevicePolicy", "MemoryDenyWriteExecute", "SystemCallFilter"):
        assert unit["Service"].get(setting) == service["Service"].get(setting), setting
    assert "EDGEKIT_CHECKED=/data/edgekit/state/checked" in service["Service"]["Environment"]
    assert value(unit, "UMask") == "0022", "the service reads what it writes"
    assert int(value(unit, "OOMScoreAdjust")) > 0, "memory that runs out costs the check"
    assert value(unit, "EnvironmentFile") == value(service, "EnvironmentFile"), "the same GPU"
    assert ("edgekit-gpu.service" in unit["Unit"].get("After", [])) == bool(nodes)
    assert value(unit, "OOMPolicy") == "continue", "and of that the process that answers"
    assert int(value(unit, "TimeoutStopSec")) > START_S >= int(value(service, "TimeoutStartSec")), "it starts it again"


def test_a_gpu_without_device_files_is_refused() -> None:
    with pytest.raises(ConfigError, match="shows no device file") as caught:
        unit_text(Layout(), target("orin"), (), MACHINE)
    assert caught.value.hint == "Run: edgekit doctor --target orin"
    for node in ("/dev/nvidia 0", "/etc/shadow", "/dev/../etc/shadow", "/dev/x\nUser=root"):
        with pytest.raises(ConfigError, match="no device file"):
            unit_text(Layout(), target("orin"), (node,), MACHINE)


def test_the_user_belongs_to_the_groups_of_a_jetsons_device_files() -> None:
    lines = [line.split(None, 3) for line in sysusers_text().splitlines() if not line.startswith("#")]
    assert lines == [
        ["u", "edgekit", "-", '"EdgeKit" /var/lib/edgekit'],
        ["m", "edgekit", "video"],
        ["m", "edgekit", "render"],
    ]


def test_the_digest_is_of_every_template(monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", TEMPLATE_SHA256)
    folder = Path(str(text._FOLDER))
    templates = sorted(path.name for path in folder.iterdir() if path.suffix in (".service", ".conf", ".sysusers"))
    read = text._template
    for changed in templates:
        monkeypatch.setattr(text, "_template", lambda name, changed=changed: read(name) + "#" * (name == changed))
        assert text._digest() != TEMPLATE_SHA256, changed
