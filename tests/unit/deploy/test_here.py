"""What installs on this very machine: whose code is tried by whom, what a bundle's order says, and early refusals."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgekit.deploy import here
from edgekit.deploy.journal import make_folder
from edgekit.deploy.layout import Layout
from edgekit.deploy.record import Package
from edgekit.deploy.steps import UNIT
from edgekit.doctor import Diagnosis, Report
from edgekit.errors import EdgeKitError, GateRefused
from edgekit.machine.programs import Reply
from edgekit.progress import silent
from edgekit.target import target
from tests.deploying import OLD, Site
from tests.embedded_bundles import EmbeddedBundles

CHILD = """import json, os, sys
phase, bundle = sys.argv[1:]
print(json.dumps(["progress", phase, 1, 1]))
done = {"refused": ["no", "why"]} if phase == "check" else {"path": sys.path[:2], "bundle": bundle}
print(json.dumps(["done", done]))
"""


def test_a_release_is_tried_by_its_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "edgekit" / "deploy"
    make_folder(package)
    (tmp_path / "site" / "edgekit" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "examined.py").write_text(CHILD)
    told: list[str] = []
    document = here.examine("compile", tmp_path / "bundle", lambda stage, done, total: told.append(stage))
    assert document["bundle"] == str(tmp_path / "bundle")
    assert document["path"] == [str(tmp_path / "site"), str(tmp_path / "system")]
    assert told == ["compile"]
    with pytest.raises(GateRefused, match="no") as refused:
        here.examine("check", tmp_path / "bundle", silent)
    assert refused.value.hint == "why"


def test_the_order_of_a_bundle_names_its_release_and_places_its_units(
    tmp_path: Path, embedded_as: EmbeddedBundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = (Package("edgekit", "0.1", "a" * 64),)
    monkeypatch.setattr(here, "code_for", lambda engine, wheels: SimpleNamespace(packages=lambda: packages))
    order = here.order_here(embedded_as("q4").path, "", Layout())
    assert order.digest == embedded_as("q4").digest
    assert len(order.release) == 64
    assert not order.stops_first, "it computes on the processor"
    assert not order.image
    assert here.order_here(embedded_as("q4").path, "", Layout(tmp_path)).image
    assert "/etc/systemd/system/edgekit.service" in order.unit
    assert "/etc/systemd/system/edgekit-rollback.service" in order.unit
    assert "/etc/systemd/system/edgekit-check.service" in order.unit
    assert set(order.watching) == {
        *(f"/etc/systemd/system/edgekit-{name}" for name in ("commit.timer", "commit.service", "boot.service")),
        "/etc/systemd/system/edgekit-check.timer",
        "/etc/sysusers.d/edgekit.conf",
    }
    assert "EDGEKIT_PORT=8080" in order.configuration["/etc/default/edgekit"]


@pytest.mark.parametrize(
    ("text", "stop_s"),
    [
        (None, 45),
        ("[limits]\ngrace_s = 120.5\n", 136),
        ("[limits]\ngrace_s = 1e300\n", 615),
        ("[limits", 45),
    ],
)
def test_a_stop_takes_as_long_as_the_site_gives_answers(
    tmp_path: Path, embedded_as: EmbeddedBundles, monkeypatch: pytest.MonkeyPatch, text: str | None, stop_s: int
) -> None:
    monkeypatch.setattr(here, "code_for", lambda engine, wheels: SimpleNamespace(packages=lambda: ()))
    layout = Layout(tmp_path)
    if text is not None:
        make_folder(layout.configuration)
        (layout.configuration / "serve.toml").write_text(text)
    order = here.order_here(embedded_as("q4").path, "", layout)
    assert f"TimeoutStopSec={stop_s}\n" in order.unit["/etc/systemd/system/edgekit.service"]


def test_an_image_is_told_nothing_of_the_machine_that_writes_it(
    tmp_path: Path, embedded_as: EmbeddedBundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> None:
        raise AssertionError("this machine is not the device")

    opened = embedded_as("q4")
    monkeypatch.setattr(here, "code_for", lambda engine, wheels: SimpleNamespace(packages=lambda: ()))
    monkeypatch.setattr("edgekit.machine.look", look)
    monkeypatch.setattr(here, "nodes", lambda host, target: () if not target.kind.on_gpu else look())
    order = here.order_here(opened.path, "", Layout(tmp_path))
    assert order.left_open == ("how much memory it has",)
    manifests = {name: replace(opened.manifest, target=target(name)) for name in ("orin", "rtx3050")}
    for name, left in (("orin", 1), ("rtx3050", 2)):
        bundle = SimpleNamespace(path=opened.path, digest=opened.digest, manifest=manifests[name])
        monkeypatch.setattr(here, "open_bundle", lambda path, bundle=bundle: bundle)
        order = here.order_here(opened.path, "", Layout(tmp_path))
        assert (order.left_open[0], len(order.left_open)) == ("its GPU's device files", left)
        assert "DevicePolicy=auto" in order.unit["/etc/systemd/system/edgekit.service"]


@pytest.mark.parametrize(("link", "is_refused"), [("python3.9", True), ("/usr/bin/pypy", False), (None, False)])
def test_a_tree_with_another_interpreter_is_refused(
    tmp_path: Path, embedded_as: EmbeddedBundles, monkeypatch: pytest.MonkeyPatch, link: str | None, is_refused: bool
) -> None:
    monkeypatch.setattr(here, "code_for", lambda engine, wheels: SimpleNamespace(packages=lambda: ()))
    if link is not None:
        make_folder(tmp_path / "usr/bin")
        (tmp_path / "usr/bin/python3").symlink_to(link)
    if is_refused:
        with pytest.raises(EdgeKitError, match=r"The service runs by Python 3\.9 in"):
            here.order_here(embedded_as("q4").path, "", Layout(tmp_path))
    else:
        assert here.order_here(embedded_as("q4").path, "", Layout(tmp_path)).image


@pytest.mark.parametrize("told", ["2.7\n", ""])
def test_an_interpreter_of_another_version_is_refused(told: str) -> None:
    with pytest.raises(EdgeKitError, match="The service runs by /usr/bin/python3") as error:
        here.require_python(lambda command, seconds, variables: Reply(0, told))
    assert "/usr/bin/python3 -m venv" in error.value.hint


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(EdgeKitError, match="Only root"):
        here.require_root(Layout())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    here.require_root(Layout())


def test_a_machine_that_the_doctor_finds_bad_is_refused(
    embedded_as: EmbeddedBundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Diagnosis("disk", "bad", "no room is left", "make some")
    monkeypatch.setattr(here, "diagnose", lambda host, target: Report("cpu", "cpu", (bad,)))
    with pytest.raises(EdgeKitError, match="not ready for cpu: disk: no room is left") as error:
        here.require_healthy(embedded_as("q4").path)
    assert error.value.hint == "make some\n--force goes on."


def test_what_does_not_keep_a_service_from_starting_refuses_no_installation(
    embedded_as: EmbeddedBundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = ("service's user", "updates", "containers", "sticks")
    bad = [Diagnosis(subject, "bad", "something", "mend it") for subject in subjects]
    monkeypatch.setattr(here, "diagnose", lambda host, target: Report("cpu", "cpu", tuple(bad)))
    here.require_healthy(embedded_as("q4").path)
    bad.append(Diagnosis("groups", "bad", "no render", "make it"))
    with pytest.raises(EdgeKitError, match="not ready for cpu: groups: no render"):
        here.require_healthy(embedded_as("q4").path)


def test_memory_that_the_service_holds_and_will_give_back_is_not_missed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = [Diagnosis(subject, "bad", "too little is free") for subject in ("memory", "gpu memory")]
    target = SimpleNamespace(kind=SimpleNamespace(on_gpu=True))
    monkeypatch.setattr(here, "open_bundle", lambda path: SimpleNamespace(manifest=SimpleNamespace(target=target)))
    monkeypatch.setattr(here, "diagnose", lambda host, target: Report("gpu", "gpu", tuple(short)))
    monkeypatch.setattr(here, "require_root", lambda layout: None)
    monkeypatch.setattr(here, "require_python", lambda: None)
    preflight = here.hands_here(site.layout, services=site.services).preflight
    with pytest.raises(EdgeKitError, match="memory: too little is free; gpu memory"):
        preflight(Path("bundle"), "")
    site.installed(OLD)
    preflight(Path("bundle"), "")
    target.kind.on_gpu = False
    with pytest.raises(EdgeKitError, match="too little"):  # there, the old one runs on while the new one is tried
        preflight(Path("bundle"), "")
    target.kind.on_gpu = True
    short.append(Diagnosis("disk", "bad", "no room is left"))
    with pytest.raises(EdgeKitError, match="not ready for gpu: disk: no room is left"):
        preflight(Path("bundle"), "")


def test_while_the_machine_starts_nothing_is_started_or_stopped(site: Site) -> None:
    site.installed(OLD)
    site.services.told.clear()
    booting = here.at_boot(site.hands).services
    booting.stop(UNIT)
    booting.start(UNIT)
    booting.restart(UNIT)
    booting.reset_failed(UNIT)
    assert site.services.told == []
    booting.reload()
    assert site.services.told == ["reload"], "units may have to go back"
    assert booting.state(UNIT).runs
