"""Clients as people have them, unchanged, against ``edgekit serve`` in a process of its own.

The Makefile makes what they need: ``.venv-clients`` for Python's, ``tests/clients/node_modules`` for Node's.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.served import png
from tests.service_process import ServiceProcess, serving

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "clients"
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
SECRETS = ("ek-the-secret-of-one-caller", "ek-the-secret-of-another")
NARROW = "[limits]\nqueue_s = 2\nwaiting_per_caller = 8\nwaiting = 12\n"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps the embedded model's bundle, so that it is built once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def service(cache: Path) -> Iterator[ServiceProcess]:
    """A service that anybody may ask."""
    with serving(cache) as process:
        yield process


@pytest.fixture(scope="module")
def narrow(cache: Path, service: ServiceProcess) -> Iterator[ServiceProcess]:
    """A service with one slot and short limits, for whoever has a secret."""
    with serving(cache, "--slots", "1", settings=NARROW, tokens=SECRETS) as process:
        yield process


@pytest.mark.parametrize(
    ("script", "checks"),
    [("with_openai.py", 10), ("with_openai.mjs", 7), ("with_langchain.py", 5), ("with_litellm.py", 2)],
)
def test_a_client_is_served(script: str, checks: int, service: ServiceProcess, narrow: ServiceProcess) -> None:
    interpreter = PYTHON if script.endswith(".py") else "node"
    command = [interpreter, SCRIPTS / script, service.url, narrow.url, *SECRETS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.split()) == checks, done.stdout


def test_curl_does_what_the_page_says(service: ServiceProcess, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
    commands = [
        block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "curl " in block and "127.0.0.1" in block
    ]
    (tmp_path / "chest.png").write_bytes(png(1, side=900))  # larger than an argument of a command may be
    answers = []
    for command in commands:
        shell = ["bash", "-euo", "pipefail", "-c", command.replace("http://127.0.0.1:8080", service.url)]
        done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        answers.append(done.stdout)
    question, streamed = answers
    assert json.loads(question)["choices"][0]["message"]["content"]
    assert "data: [DONE]" in streamed
    assert json.loads(streamed.rpartition("[DONE]")[2])["data"][0]["id"] == service.announcement["model"]
