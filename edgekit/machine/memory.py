"""How much memory a process has in RAM, and the most that it had: read from Linux's own count.

Two kinds are told apart, because they weigh differently on a small device. *Own* pages exist nowhere else: they stay
in RAM until the process frees them. *Mapped* ones are copies of files (libraries, a bundle's weights): processes that
map the same file share them, and the system drops them when memory is short and reads them again. How many of a file
are there is up to how the page cache got it: the same libraries had 42 MiB after a read in small pieces, 55 right after
they were installed (Linux 6.18 maps whole folios of its cache, in which a written file's are larger).
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_PROCESS = Path("/proc/self")
_COUNTED = ("RssAnon", "RssFile", "RssShmem", "VmHWM")
_RESET_PEAK = "5"  # proc_pid_clear_refs(5), since Linux 4.0


@dataclass(frozen=True)
class Memory:
    """What a process has in RAM.

    ``own_bytes``: anonymous and shared-memory pages in RAM; ``mapped_bytes``: pages of mapped files in RAM.
    """

    own_bytes: int
    mapped_bytes: int

    @property
    def resident_bytes(self) -> int:
        """All that is in RAM: what `ps` and `top` call RSS."""
        return self.own_bytes + self.mapped_bytes


def memory(process: Path = _PROCESS) -> Memory:
    """Count a process's memory now: RssAnon + RssShmem and RssFile of its ``status`` below ``/proc`` (see proc(5)).

    ``process`` is its folder there; without one, this process's. Before Linux 6.2 each thread may hold back up to 64
    pages from these counts, so a few hundred KiB.
    """
    counts = _counts(process)
    return Memory(counts["RssAnon"] + counts["RssShmem"], counts["RssFile"])


def _counts(process: Path = _PROCESS) -> dict[str, int]:
    lines = (process / "status").read_text(encoding="ascii", errors="replace").splitlines()
    return {
        name: 1024 * int(rest.split()[0])
        for name, _, rest in (line.partition(":") for line in lines)
        if name in _COUNTED
    }


@dataclass(frozen=True)
class MappedFiles:
    """Files that this process maps: their mapped bytes, and how much of that is in its RAM."""

    size_bytes: int
    resident_bytes: int


def mapped_files(*folders: Path) -> MappedFiles:
    """Count the files below ``folders`` that this process maps (``/proc/self/smaps``)."""
    size = resident = 0
    ours = False
    with (_PROCESS / "smaps").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if header := _MAPPING.match(line):
                ours = any(Path(header[1]).is_relative_to(folder) for folder in folders)
            elif ours and line.startswith("Size:"):
                size += 1024 * int(line.split()[1])
            elif ours and line.startswith("Rss:"):
                resident += 1024 * int(line.split()[1])
    return MappedFiles(size, resident)


_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S{4} [0-9a-f]+ \S+ \d+\s*(.*)$")  # address, rights, offset, device, inode


def shared_out_bytes() -> int:
    """Read this process's proportional share (PSS): pages that several processes map are divided among them.
    0 where it isn't told."""
    try:
        text = (_PROCESS / "smaps_rollup").read_text(encoding="utf-8", errors="replace")  # since Linux 4.14
    except OSError:
        return 0
    share = re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE)
    return 1024 * int(share[1]) if share else 0


def address_space_bytes() -> int:
    """Count all addresses that this process has mapped, in RAM or not: what RLIMIT_AS counts (statm of proc(5))."""
    pages = int((_PROCESS / "statm").read_text(encoding="ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """Read the most memory that this process has had resident, mapped files included (VmHWM); 0 where it isn't told.

    Not getrusage's maximum: that begins with what the process was before it became this program.
    """
    return _counts().get("VmHWM", 0)


class Peak:
    """Keeps the most memory while in ``with``; ``memory`` has it afterwards, and ``source`` says who kept it.

    The kernel keeps a mark of all resident pages (VmHWM), which no spike escapes, however short. Mapped pages hardly
    ever go while a process works, so what exceeded those of the end was its own. Where the mark can't be set back
    (some sandboxes), a thread looks every millisecond instead.
    """

    INTERVAL_S = 0.001

    def __init__(self, reset: Callable[[], bool] | None = None) -> None:
        self._reset = reset or reset_peak
        self.memory = memory()
        self.source = "kernel"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak memory", daemon=True)

    def __enter__(self) -> Peak:
        if not self._reset():
            self.source = "sampled"
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.source == "kernel":
            counts = _counts()
            mapped = counts["RssFile"]
            self.memory = Memory(max(counts["VmHWM"] - mapped, counts["RssAnon"] + counts["RssShmem"]), mapped)
            return
        self._ended.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._ended.wait(self.INTERVAL_S):
            self._look()

    def _look(self) -> None:
        self.memory = max(self.memory, memory(), key=lambda seen: seen.resident_bytes)


def reset_peak() -> bool:
    """Set the kernel's mark of the most resident memory back to what is resident now; say whether it could be."""
    try:
        (_PROCESS / "clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True
