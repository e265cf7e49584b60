"""llama.cpp's own tests of its server, against EdgeKit's: which pass, and which fail because EdgeKit means to differ.

They are not copied: the Makefile takes them from llama-cpp-python's source package. ``tests/clients/llama_cpp.toml``
says of each what is expected, and why.
"""

from __future__ import annotations

import os
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgekit import config
from tests.service_process import serving, small_bundle

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-clients"
TESTS = ENVIRONMENT / "llama.cpp-tests"
CONTEXT = 256
"""What a slot of theirs holds: 512 tokens for two."""
SECRET = "sk-this-is-the-secret-key"
ALIASES = 'aliases = ["gpt-3.5-turbo", "gpt-3.5-turbo-instruct", "gpt-4.1"]\n'
OFFLINE = "not IMG_URL and not IMG_BASE64"
OPEN = (
    "test_chat_completion.py",
    "test_compat_oai_responses.py",
    "test_vision_api.py::test_vision_chat_completion",
    "test_security.py::test_local_media_file",
    "test_basic.py::test_server_start_simple",
    "test_basic.py::test_server_models",
)


@dataclass(frozen=True)
class Difference:
    """Tests that fail, and the reason why that is meant."""

    reason: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Expected:
    """What is expected of each of their tests."""

    passes: tuple[str, ...]
    differs: tuple[Difference, ...]

    def of(self, name: str) -> str:
        """Say "passed" or "failed", by a test's full name or its function's; "" where nothing is expected."""
        for names, outcome in ((self.passes, "passed"), *((group.tests, "failed") for group in self.differs)):
            if name in names or name.partition("[")[0] in names:
                return outcome
        return ""

    def names(self) -> set[str]:
        return {*self.passes, *(name for group in self.differs for name in group.tests)}


def outcomes(port: int, folder: Path, *arguments: str) -> Mapping[str, str]:
    """Run some of their tests against the service at ``port``, and return how each ended."""
    (folder / "wget.py").write_text("", encoding="utf-8")  # they import it to download models, which none here does
    report = folder / "report.xml"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    environment = kept | {"DEBUG_EXTERNAL": "1", "PORT": str(port), "PYTHONPATH": str(folder)}
    command: list[str | Path] = [ENVIRONMENT / "bin" / "python", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--basetemp", folder / "temporary", "--junitxml", report, "-k", OFFLINE, *arguments]
    done = subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode in (0, 1), done.stdout[-4000:] + done.stderr
    return {
        f"{case.get('classname', '').removeprefix('unit.')}.py::{case.get('name')}": _outcome(case)
        for case in ElementTree.parse(report).iter("testcase")
    }


def _outcome(case: ElementTree.Element) -> str:
    kinds = {child.tag for child in case} - {"system-out", "system-err", "properties"}
    return {"": "passed", "failure": "failed"}.get("".join(kinds), "".join(kinds))


def test_llama_cpps_tests_end_as_expected(tmp_path: Path) -> None:
    expected = config.load_toml(ROOT / "tests" / "clients" / "llama_cpp.toml", Expected)
    bundle = small_bundle(tmp_path / "bundle", CONTEXT)
    open_, guarded = tmp_path / "open", tmp_path / "guarded"
    open_.mkdir()
    guarded.mkdir()
    with serving(tmp_path, bundle, settings=ALIASES) as service:
        ended = dict(outcomes(service.port, open_, *(f"unit/{name}" for name in OPEN)))
    with serving(tmp_path, bundle, settings=ALIASES, tokens=(SECRET,)) as service:
        rest = ("unit/test_security.py", "--deselect", "unit/test_security.py::test_local_media_file")
        ended |= outcomes(service.port, guarded, *rest)
    assert {name: outcome for name, outcome in ended.items() if expected.of(name) != outcome} == {}
    seen = {*ended, *(name.partition("[")[0] for name in ended)}
    assert expected.names() <= seen, "a test is expected that there is no more"
    assert sum(outcome == "passed" for outcome in ended.values()) == 35
