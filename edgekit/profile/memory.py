"""How much memory this process has in RAM, and the most that it had: read from Linux's own count.

Two kinds are told apart, because they weigh differently on a small device. *Own* pages exist nowhere else: they stay
in RAM until the process frees them. *Mapped* ones are copies of files (libraries, a bundle's weights): processes that
map the same file share them, and the system drops them when memory is short and reads them again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Memory:
    """``own_bytes``: anonymous and shared-memory pages in RAM; ``mapped_bytes``: pages of mapped files in RAM."""

    own_bytes: int
    mapped_bytes: int

    @property
    def resident_bytes(self) -> int:
        """All that is in RAM: what `ps` and `top` call RSS."""
        return self.own_bytes + self.mapped_bytes


def memory() -> Memory:
    """This process's memory now: RssAnon + RssShmem and RssFile of ``/proc/self/status`` (see proc(5)).

    Before Linux 6.2 each thread may hold back up to 64 pages from these counts, so a few hundred KiB.
    """
    lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if name in _COUNTED}
    return Memory(1024 * (kib["RssAnon"] + kib["RssShmem"]), 1024 * kib["RssFile"])


_COUNTED = ("RssAnon", "RssFile", "RssShmem")


class Peak:
    """While in ``with``, looks every millisecond; ``memory`` is then the moment at which the most was resident.

    The kernel keeps such a mark for all resident pages together (VmHWM), but none for a process's own.
    """

    INTERVAL_S = 0.001

    def __init__(self) -> None:
        self.memory = memory()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak memory", daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._ended.wait(self.INTERVAL_S):
            self._look()

    def _look(self) -> None:
        self.memory = max(self.memory, memory(), key=lambda seen: seen.resident_bytes)
