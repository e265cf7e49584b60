"""The process that takes a chat template apart: ``python -m edgekit.checkpoint.chat PROGRAM.json [plain]``.

With ``plain`` it tries no system text. Its result are the pieces (how it says so: :mod:`edgekit.child`).
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from edgekit.checkpoint.chat.pieces import pieces
from edgekit.checkpoint.chat.render import Program
from edgekit.child import speak
from edgekit.config import dump
from edgekit.machine.memory import address_space_bytes

_SECONDS = 10  # of a processor: published templates take a tenth of one
_BYTES = 2**29


def _bound() -> None:
    """Allow so much more than this process has had until now; only ever less than whoever started it allows."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + _SECONDS)
    _lower(resource.RLIMIT_AS, address_space_bytes() + _BYTES)


def _lower(limit: int, most: int) -> None:
    soft, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (most if soft == resource.RLIM_INFINITY else min(soft, most), hard))


def main(file: str, *plain: str) -> None:
    program = Program(**json.loads(Path(file).read_text()))

    def work(say: Callable[..., None]) -> list[object]:
        _bound()
        return [dump(pieces(program, system=not plain))]

    speak(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
