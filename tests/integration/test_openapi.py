"""The service's own description of its API, tried by schemathesis: whatever it allows, and much that it doesn't."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.browser import PASSWORD, account
from tests.service_process import ServiceProcess, serving, small_bundle

pytestmark = pytest.mark.system

SCHEMATHESIS = Path(__file__).parents[2] / ".venv-clients" / "bin" / "schemathesis"
LOOSE = "positive_data_acceptance"
"""What is known and not served has no place in a schema: it is refused, and the schema lets it be sent."""


def run(folder: Path, service: ServiceProcess, *options: str) -> str:
    """Have schemathesis try what a service describes; what it says of it."""
    command: list[str | Path] = [SCHEMATHESIS, "run", f"{service.url}/openapi.json", "--no-color", "--seed", "1"]
    command += ["--max-examples", "25", "--exclude-checks", LOOSE, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout
    return done.stdout


def answered(service: ServiceProcess, base: str, headers: dict[str, str] | None = None) -> dict[str, float]:
    """How many requests of each route below ``base`` were answered well."""
    figures = httpx.get(f"{service.url}/metrics", headers=headers).text
    routes = re.findall(
        rf'^edgekit_requests_total\{{.*route="{base}(\S+)".*status="20\d".*\}} (\S+)', figures, re.MULTILINE
    )
    counts: dict[str, float] = {}
    for route, count in routes:
        counts[route] = counts.get(route, 0) + float(count)
    return counts


def test_nothing_fails_and_nothing_is_undescribed(tmp_path: Path) -> None:
    """No status of 500 or above, no status and no document that the description lacks, nothing wrong let in."""
    with serving(tmp_path, small_bundle(tmp_path / "bundle")) as service:
        said = run(tmp_path, service, "--phases", "examples,coverage,fuzzing", "--exclude-path-regex", "^/api/")
        assert re.search(r"Selected: +(\d+)/\d+\b", said), said
        counts = answered(service, "/v1/")
    assert counts["chat/completions"] > 20, counts
    assert counts["responses"] > 20, counts


def test_nothing_of_the_pages_fails_either(tmp_path: Path) -> None:
    """As who sits at a machine without accounts; each answer's ids lead to what is behind them."""
    with serving(tmp_path, small_bundle(tmp_path / "bundle")) as service:
        phases = "examples,coverage,fuzzing,stateful"
        run(tmp_path, service, "--phases", phases, "--include-path-regex", "^/api/")
        counts = answered(service, "/api/")
    for route in ("", "/{conversation}", "/{conversation}/messages", "/{conversation}/images"):
        assert counts[f"conversations{route}"] > 3, counts


def test_nothing_fails_for_who_has_signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a cookie, with accounts; what ends the session is left out."""
    with serving(tmp_path, small_bundle(tmp_path / "bundle")) as service:
        monkeypatch.setenv("EDGEKIT_SITE", str(service.log.parent))
        account(service.log.parent / "state", role="admin")
        signed = httpx.post(f"{service.url}/api/session", json={"name": "anna", "password": PASSWORD})
        headers = {"cookie": f"edgekit={signed.cookies['edgekit']}", "x-csrf-token": signed.json()["csrf"]}
        lines = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        ends = ("--exclude-path-regex", "session|password|invitation")
        options = ("--phases", "examples,coverage,stateful", "--include-path-regex", "^/api/", *ends)
        run(tmp_path, service, *options, *lines)
        counts = answered(service, "/api/", headers)
        assert httpx.get(f"{service.url}/api/session", headers=headers).json()["signed_in"] is True
    assert counts["admin"] > 1, counts
    assert counts["conversations"] > 3, counts
