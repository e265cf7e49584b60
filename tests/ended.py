"""A command that is ended by a signal while it writes a file of answers, as people and machines end it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_SLOWLY = """
import sys, time
from edgekit.batch.results import Results
from edgekit.cli.main import main
add = Results.add
Results.add = lambda self, line: (add(self, line), time.sleep(0.02))
sys.exit(main())
"""


def ended(out: Path, number: int, enough: Callable[[int], bool], words: Sequence[str]) -> int:
    """Run ``edgekit`` with ``words``, a line of ``out`` every 20 ms at most, and end it by a signal when it has written
    ``enough`` lines; return how many it has."""
    process = subprocess.Popen([sys.executable, "-c", _SLOWLY, *words], stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < until:
            if out.exists() and enough(out.read_bytes().count(b"\n")):
                process.send_signal(number)
                break
            time.sleep(0.002)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode in (-number, 128 + number), err
    assert "Traceback" not in err
    return out.read_bytes().count(b"\n")
