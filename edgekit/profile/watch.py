"""Memory over time, for a picture of a run, and for what keeps no mark of its own: a GPU's memory.

A process's peaks come from the kernel (:class:`~edgekit.machine.memory.Peak`); what NVIDIA's library or a Jetson's
tells is only ever the present, so a thread looks often.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType

from edgekit.machine.gpu_memory import GpuMemory
from edgekit.machine.memory import memory
from edgekit.profile.record import Moment

INTERVAL_S = 0.01
_MOST = 600


class Watch:
    """A watch looks every 10 ms while in ``with``. Name what goes on by setting ``phase``.

    ``shared``: the GPU's memory is the machine's.
    ``moments`` are at most some hundreds, however long it takes: where two become one, the larger stays.
    """

    def __init__(self, gpu: GpuMemory | None = None, *, shared: bool = False) -> None:
        self.phase = "opening"
        self.moments: list[Moment] = []
        self._gpu, self._shared = gpu, shared
        self._total_before = gpu.total_bytes() if gpu else 0
        self._own_before = memory().own_bytes
        self._peak = 0
        self._began = time.perf_counter()
        self._interval = INTERVAL_S
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_often, name="memory over time", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self.look()

    def device_bytes(self) -> int:
        """Count what the process holds of the GPU's memory now.

        Where only the whole is told, it is what was added to that since the start; of memory that the GPU shares, less
        what the process itself took, which is counted already.
        """
        if self._gpu is None:
            return 0
        held = self._gpu.process_bytes()
        if held is not None:
            return held
        added = self._gpu.total_bytes() - self._total_before
        return max(0, added - (memory().own_bytes - self._own_before) * self._shared)

    def take_device_peak(self) -> int:
        """Return the most that was seen on the GPU since this was asked last."""
        peak, self._peak = max(self._peak, self.device_bytes()), 0
        return peak

    def look(self) -> None:
        """Note this moment."""
        now, device = memory(), self.device_bytes()
        self._peak = max(self._peak, device)
        seconds = time.perf_counter() - self._began
        self.moments.append(Moment(self.phase, round(seconds, 3), now.own_bytes, now.mapped_bytes, device))
        if len(self.moments) >= _MOST:
            self.moments = _thinned(self.moments)
            self._interval *= 2

    def _look_often(self) -> None:
        while not self._ended.wait(self._interval):
            self.look()


def _thinned(moments: list[Moment]) -> list[Moment]:
    """Of two neighbours of one phase, the one with more memory."""
    kept: list[Moment] = []
    waiting: Moment | None = None
    for moment in moments:
        if waiting is None or waiting.phase != moment.phase:
            if waiting is not None:
                kept.append(waiting)
            waiting = moment
        else:
            kept.append(max(waiting, moment, key=_total_bytes))
            waiting = None
    return kept + ([waiting] if waiting is not None else [])


def _total_bytes(moment: Moment) -> int:
    return moment.own_bytes + moment.mapped_bytes + moment.device_bytes
