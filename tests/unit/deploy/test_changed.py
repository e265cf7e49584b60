"""What the next start would find is told before: a damaged release, another Python, a driver's halves, what was
replaced under the service."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.deploy import changed as module
from edgekit.deploy.changed import changed, replaced
from edgekit.deploy.layout import Layout
from edgekit.deploy.staging import stage
from edgekit.doctor.diagnosis import Diagnosis
from edgekit.engines.lock import Form
from edgekit.machine.host import Host
from edgekit.machine.programs import Reply
from edgekit.target import target
from tests.releases import UNIT, PlainCode, small_bundle

PYTHON = ".".join(platform.python_version_tuple()[:2])


class Staged:
    """A release that is staged, and the machine that it lies on."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder)
        bundle = small_bundle(folder / "bundle", {"graphs/decoder.data": b"weights" * 100, "tokenizer.json": b"{}"})
        self.release = stage(bundle, PlainCode({"edgekit/__init__.py": b""}), self.layout, UNIT).identity
        self.folder = self.layout.release(self.release)

    def told(self, python: str = PYTHON) -> list[str]:
        host = Host(root=self.layout.root, runner=lambda command, seconds, environment: Reply(0, python))
        return [finding.what for finding in changed(self.layout, self.release, host)]


@pytest.fixture
def staged(tmp_path: Path, no_waiting_for_the_disk: None) -> Staged:
    return Staged(tmp_path)


def test_nothing_is_told_of_what_is_as_it_was_installed(staged: Staged) -> None:
    assert staged.told() == []


def test_a_file_that_the_disk_lost_is_named(staged: Staged) -> None:
    path = staged.folder / "bundle/graphs/decoder.data"
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    (told,) = staged.told()
    assert "decoder.data" in told
    (staged.folder / "release.json").write_text("{}")
    (told,) = staged.told()
    assert "release.json" in told


def test_another_python_can_not_run_it(staged: Staged) -> None:
    (told,) = staged.told("3.99")
    assert "3.99 by now" in told
    assert staged.told("") == [], "where it doesn't tell"


def test_a_package_of_the_system_s_that_is_gone_is_named(staged: Staged) -> None:
    package = staged.layout.at("/usr/lib/python3/dist-packages/tensorrt")
    package.mkdir(parents=True)
    (staged.folder / "system/tensorrt").symlink_to("/usr/lib/python3/dist-packages/tensorrt")
    assert staged.told() == []
    package.rmdir()
    (told,) = staged.told()
    assert "tensorrt is gone" in told


def test_what_the_doctor_finds_bad_of_the_driver_is_told(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [Diagnosis("driver", "bad", "updated but not restarted", "sudo reboot"), Diagnosis("driver", "good", "is")]
    monkeypatch.setattr(module, "halves", lambda host, target: iter(said))
    assert staged.told() == ["driver: updated but not restarted"]


@pytest.mark.parametrize(
    ("misfits", "whole", "said"),
    [
        (["", "for driver 570"], True, []),
        ([], True, []),
        (["for driver 570"], True, ["no compiled engine is for this machine any more: for driver 570"]),
        (["for driver 570", ""], False, ["form1 is not what was compiled here"]),
    ],
)
def test_engines_of_a_gpu_are_held_against_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, misfits: list[str], whole: bool, said: list[str]
) -> None:
    bundle = small_bundle(tmp_path / "bundle", {"tokenizer.json": b"{}"})
    forms = [Form(Path(f"form{number}"), None, misfit) for number, misfit in enumerate(misfits)]
    monkeypatch.setattr(module, "forms", lambda bundle: forms)
    monkeypatch.setattr(module, "is_whole", lambda bundle, folder: whole)
    for name, expected in (("orin", said), ("cpu", [])):
        opened = replace(bundle, manifest=replace(bundle.manifest, target=target(name)))
        findings = list(module._engines(opened))
        assert [finding.what for finding in findings] == expected
        assert all("systemctl stop edgekit" in finding.mend for finding in findings), "none is compiled beside it"


def test_what_was_replaced_under_the_service_is_told(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7/exe").symlink_to("/usr/bin/python3")
    lines = [f"7f00-7f01 r-xp 0000 00:01 9 /usr/lib/lib{number}.so.1 (deleted)" for number in range(7)]
    (tmp_path / "7/maps").write_text("\n".join(lines))
    told = replaced(7, tmp_path)
    assert told is not None
    (finding,) = told
    assert "lib0.so.1, lib1.so.1" in finding.what
    assert finding.what.endswith("lib4.so.1 and 2 more")
    assert "systemctl restart edgekit" in finding.mend
    assert replaced(0, tmp_path) == ()
    assert replaced(8, tmp_path) is None, "it has ended since, or nobody may look"
