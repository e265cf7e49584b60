"""A step that repeats itself, captured as a CUDA graph and replayed: one launch in place of hundreds.

A decoder's step queues a dozen kernels for every layer, and a slow processor takes longer to queue them than a GPU to
run them. What a step queues depends on its shapes alone (what it reads lies in buffers of fixed addresses), so it is
captured once and replayed until they change.

TensorRT asks for a plain run of the same shapes directly before a capture, which does what it had put off ("CUDA
Graphs" in NVIDIA's documentation of TensorRT). And a graph must not outlive a change of its context's shapes, since
state within changes with them (github.com/NVIDIA/TensorRT/issues/3798): so there is one graph, of the present shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from edgekit.engines.gpu.device import Device
from edgekit.errors import EngineError


class Replay:
    """Runs steps on ``device``. Not ``able``, or once capturing has failed, it runs each plainly."""

    def __init__(self, device: Device, *, able: bool) -> None:
        self._device, self._able = device, able
        self._last: Hashable = None
        self._graph: Any = None

    def run(self, step: Hashable, work: Callable[[], None]) -> None:
        """Queue what ``work`` queues, which must be the same each time for one ``step``.

        Plainly at first; the second time in a row it is captured, and replayed until there is another step.
        """
        if step != self._last:
            self.forget()
        elif self._able and self._graph is None:
            self._graph = self._device.capture(work)
            self._able = self._graph is not None
        self._last = None  # until it has run
        if self._graph is None:
            work()
        else:
            self._replay(work)
        self._last = step

    def _replay(self, work: Callable[[], None]) -> None:
        try:
            self._device.replay(self._graph)
        except EngineError:  # nothing was queued; what is wrong with the GPU, if anything, the plain way will show
            self.forget()
            self._able = False
            work()

    def forget(self) -> None:
        """Give the graph back, because what it would do is no longer right, or no longer wanted."""
        if self._graph is not None:
            self._device.drop(self._graph)
        self._graph = self._last = None
