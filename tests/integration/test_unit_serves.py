"""A real release under a real systemd: the embedded model answers over HTTP from within all that the unit closes off.

The release's code is copied from this environment into a Debian 12, whose Python has to be of the same version.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from edgekit.bundle import Bundle
from edgekit.deploy.layout import Layout
from edgekit.deploy.site.environment import Environment
from edgekit.deploy.staging import stage
from edgekit.deploy.unit import TEMPLATE_SHA256, Settings, sysusers_text, unit_files
from edgekit.target import target
from edgekit.units import GIB
from tests.embedded_bundles import EmbeddedBundles
from tests.nspawn.engineer import PYTHONS, ask, installed_code
from tests.nspawn.machine import Machine, booted
from tests.nspawn.trees import require_root, tree
from tests.served import question

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

UNIT = "edgekit.service"
PREFIX = PurePosixPath("/opt/edgekit")
PYTHON = PYTHONS["bookworm"]
ASKED = "What do you see?"
TOKENS = 12


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles) -> Bundle:
    require_root()
    if sys.version_info[:2] != PYTHON or platform.libc_ver()[0] != "glibc":
        pytest.skip(f"Debian 12 has Python {'.'.join(map(str, PYTHON))}, and its release is copied from this one")
    return embedded_as("q4")


@pytest.fixture(scope="module")
def code(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return installed_code(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def machine(bundle: Bundle, code: Environment) -> Iterator[Machine]:
    with booted(tree("bookworm")) as running:
        layout = Layout(running.at("/"), PREFIX)
        record = stage(bundle, code, layout, TEMPLATE_SHA256)
        layout.current.symlink_to(f"releases/{record.identity}")
        running.write("/etc/sysusers.d/edgekit.conf", sysusers_text())
        running.run("systemd-sysusers", "edgekit.conf")
        running.run("install", "-d", "-o", "edgekit", "-g", "edgekit", "-m", "0750", "/etc/edgekit")
        for path, text in unit_files(layout, target("cpu"), (), Settings(memory_bytes=8 * GIB)).items():
            running.write(path, text)
        running.run("systemctl", "daemon-reload")
        running.run("systemctl", "start", UNIT, seconds=700)
        yield running


def picture_of(bundle: Bundle) -> Path:
    return min((bundle.path / "golden").glob("*.png"))


def test_it_answers_as_it_does_here(machine: Machine, bundle: Bundle) -> None:
    """Decoding a picture takes a child that sets limits for itself."""
    picture = picture_of(bundle)
    command = [sys.executable, "-m", "edgekit", "ask", str(bundle.path), ASKED, "--image", str(picture), "--json"]
    here = subprocess.run([*command, "--max-tokens", str(TOKENS)], capture_output=True, text=True, timeout=300)
    assert here.returncode == 0, here.stderr
    asked = question(ASKED, picture.read_bytes(), max_tokens=TOKENS)
    status, body = ask(machine, "/v1/chat/completions", asked)
    assert status == 200, body + machine.journal()
    assert json.loads(body)["choices"][0]["message"]["content"] == json.loads(here.stdout)["text"]


def test_it_holds_an_answer_to_a_schema(machine: Machine) -> None:
    """Which another child compiles. Where the answer ends is the model's affair."""
    schema = {"type": "object", "properties": {"seen": {"type": "boolean"}}, "required": ["seen"]}
    form = {"type": "json_schema", "json_schema": {"name": "seen", "schema": schema}}
    status, body = ask(machine, "/v1/chat/completions", question(ASKED, response_format=form, max_tokens=40))
    assert status == 200, body + machine.journal()
    assert re.match(r'\{\s*"seen"\s*:\s*(true|false)\b', json.loads(body)["choices"][0]["message"]["content"]), body


def test_it_keeps_what_the_page_asks_for(machine: Machine) -> None:
    """The store, its keys and its encryption, which are made at first use."""
    assert ask(machine, "/readyz")[0] == 200
    status, body = ask(machine, "/api/conversations", {"label": "7-2026-118"})
    assert status in (200, 201), body + machine.journal()
    assert machine.at("/var/lib/edgekit/ward.db").is_file()
    assert machine.at("/etc/edgekit/ward.key").stat().st_mode & 0o077 == 0


def test_nothing_was_refused_to_it(machine: Machine) -> None:
    said = machine.run("journalctl", "--no-pager", "--output=cat", f"_SYSTEMD_UNIT={UNIT}").stdout
    wrong = [line for line in said.splitlines() if "not permitted" in line or "denied" in line or "Traceback" in line]
    assert not wrong, said
    assert "http://127.0.0.1:8080" in said


def test_it_verifies_its_bundle_behind_all_other_work(machine: Machine) -> None:
    def verified() -> bool:
        said = machine.run("journalctl", "--no-pager", "--output=cat", f"_SYSTEMD_UNIT={UNIT}").stdout
        return "Every file is what it was" in said

    machine.wait("its files are compared", verified)


def test_a_stop_ends_it_well(machine: Machine) -> None:
    machine.run("systemctl", "stop", UNIT)
    assert machine.show(UNIT, "Result") == "success"
    assert machine.show(UNIT, "ExecMainStatus") == "0"
