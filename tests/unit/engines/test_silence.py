"""Nothing that EdgeKit runs reports to anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_the_runtime_leaves_no_trace_in_the_home_of_its_user(tmp_path: Path) -> None:
    """Where ONNX Runtime's telemetry is on, importing it writes a device's id and a queue of events there."""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    program = "import edgekit.onnx_session as s; s.ort.InferenceSession; print(s.ort.__version__)"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip()
    assert not list(tmp_path.rglob("*")), "something was left behind"
    assert "telemetry" not in done.stderr
