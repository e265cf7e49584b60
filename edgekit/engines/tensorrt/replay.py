"""A step that repeats itself, captured as a CUDA graph and replayed: one launch in place of hundreds.

A decoder's step queues a dozen kernels for every layer, and a slow processor takes longer to queue them than a GPU to
run them. What a step queues depends on its shapes alone (what it reads lies in buffers of fixed addresses), so it is
captured once for each. TensorRT asks for one plain run of the same shapes directly before a capture: it does then what
it had put off ("CUDA Graphs" in NVIDIA's documentation of TensorRT's Python and C++ APIs).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from edgekit.engines.tensorrt.device import Device


class Replay:
    """Runs steps on ``device``. Not ``able``, or once a capture has failed, it runs each plainly."""

    def __init__(self, device: Device, *, able: bool) -> None:
        self._device, self._able = device, able
        self._graphs: dict[Hashable, Any] = {}
        self._last: Hashable = None

    def run(self, step: Hashable, work: Callable[[], None]) -> None:
        """Queue what ``work`` queues, which must be the same each time for one ``step``.

        Plainly at first; the second time in a row it is captured, and replayed from then on.
        """
        if self._able and step == self._last and step not in self._graphs:
            graph = self._device.capture(work)
            if graph is None:
                self._able = False
            else:
                self._graphs[step] = graph
        self._last = None  # until it has run
        if step in self._graphs:
            self._device.replay(self._graphs[step])
        else:
            work()
        self._last = step

    def forget(self) -> None:
        """Give the graphs back, because what they would do is no longer right, or no longer wanted."""
        for graph in self._graphs.values():
            self._device.drop(graph)
        self._graphs.clear()
        self._last = None
