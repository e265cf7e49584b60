"""A disk that is full: each refusal is one clear error, what was acknowledged is there, and with room it goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mirrored import ROOT

SCRIPT = 'mount -t tmpfs -o size="$3" none "$1" && exec "$2" -m "$4" "$1"'


@pytest.mark.system
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
@pytest.mark.parametrize(("size", "module"), [("4m", "tests.ward_filled"), ("64m", "tests.ward_reserve")])
def test_what_is_kept_on_a_disk_that_fills(tmp_path: Path, size: str, module: str) -> None:
    command = ["unshare", "--mount", "bash", "-c", SCRIPT, "bash", str(tmp_path), sys.executable, size, module]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
