"""What goes to the GPU and comes back: memory there, and pinned memory here that copies can run beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit.checkpoint.packed import Array
from edgekit.engines.gpu.device import Device
from edgekit.errors import EngineError


class Buffer:
    """Room for ``count`` numbers of ``dtype``: :attr:`address` on the GPU, and as many in pinned memory here.

    A buffer that was sent, or is to come, must not be touched until the device was synchronized.
    """

    def __init__(self, device: Device, count: int, dtype: npt.DTypeLike, purpose: str) -> None:
        self._device, size = device, count * np.dtype(dtype).itemsize
        self._pinned = device.pin(size)
        try:
            self.address = device.allocate(size, purpose)
        except EngineError:
            device.unpin(self._pinned)
            raise
        self._values: npt.NDArray[Any] = self._pinned.bytes.view(dtype)

    @property
    def host_address(self) -> int:
        return self._pinned.address

    def fill(self, values: Array) -> None:
        """Put ``values`` (converted to this buffer's dtype) at the beginning of the memory here."""
        self._values[: values.size] = values.reshape(-1)

    def upload(self, count: int) -> None:
        """Queue the first ``count`` numbers for the GPU's memory."""
        self._device.upload(self.address, self._pinned.address, count * self._values.itemsize)

    def download(self, count: int) -> None:
        """Queue the first ``count`` numbers of the GPU's memory for the memory here."""
        self._device.download(self._pinned.address, self.address, count * self._values.itemsize)

    def read(self, count: int) -> Array:
        """Wait for all that is queued; then the first ``count`` numbers here, in an array of their own."""
        self._device.synchronize()
        values: Array = self._values[:count].copy()
        return values

    def send(self, values: Array) -> None:
        """Fill and upload."""
        self.fill(values)
        self.upload(values.size)

    def fetch(self, count: int) -> Array:
        """Download and read."""
        self.download(count)
        return self.read(count)

    def close(self) -> None:
        self._values = np.empty(0, self._values.dtype)
        self._device.free(self.address)
        self._device.unpin(self._pinned)
