"""The service's own description of its API, tried by schemathesis: whatever it allows, and much that it doesn't."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.service_process import serving, small_bundle

pytestmark = pytest.mark.system

SCHEMATHESIS = Path(__file__).parents[2] / ".venv-clients" / "bin" / "schemathesis"
LOOSE = "positive_data_acceptance"
"""What is known and not served has no place in a schema: it is refused, and the schema lets it be sent."""


def test_nothing_fails_and_nothing_is_undescribed(tmp_path: Path) -> None:
    """No status of 500 or above, no status and no document that the description lacks, nothing wrong let in."""
    with serving(tmp_path, small_bundle(tmp_path / "bundle")) as service:
        command: list[str | Path] = [SCHEMATHESIS, "run", f"{service.url}/openapi.json", "--no-color", "--seed", "1"]
        command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--exclude-checks", LOOSE]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280)
        figures = httpx.get(f"{service.url}/metrics").text
    assert done.returncode == 0, done.stdout
    assert re.search(r"Selected: +(\d+)/\1\b", done.stdout), done.stdout
    answered = re.findall(
        r'^edgekit_requests_total\{.*route="/v1/(\S+)".*status="200".*\} (\S+)', figures, re.MULTILINE
    )
    counts = {route: float(count) for route, count in answered}
    assert counts["chat/completions"] > 20, figures
    assert counts["responses"] > 20, figures
