"""Numbers on their way to a simulated GPU and back: what is queued happens when it is waited for."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.engines.gpu.buffers import Buffer
from edgekit.errors import EngineError
from tests.simulated_tensorrt.device import FakeDevice

VALUES = np.arange(12, dtype=np.float64).reshape(3, 4) / 8


def test_what_is_sent_is_converted_and_lies_at_the_address() -> None:
    device = FakeDevice()
    buffer = Buffer(device, 20, np.float16, "pixels")
    buffer.send(VALUES)
    device.synchronize()
    np.testing.assert_array_equal(device.at(buffer.address, 24).view(np.float16), VALUES.ravel())
    assert (device.at(buffer.address + 24, 16) == 0xFF).all()  # the rest is as it was
    assert device.uploaded == 24
    assert buffer.host_address in device.pinned


def test_what_is_fetched_is_the_gpu_s_and_stays_when_the_buffer_is_filled_anew() -> None:
    device = FakeDevice()
    buffer = Buffer(device, 6, np.int32, "logits")
    device.queue(lambda: device.at(buffer.address, 24).view(np.int32).__setitem__(slice(None), range(6)))
    fetched = buffer.fetch(4)
    buffer.fill(np.full(6, 9))
    np.testing.assert_array_equal(fetched, range(4))
    assert fetched.dtype == np.int32
    assert device.downloaded == 16
    np.testing.assert_array_equal(buffer.read(2), [9, 9])  # nothing was downloaded


def test_without_room_on_the_gpu_nothing_stays_pinned() -> None:
    device = FakeDevice(room=1000)
    with pytest.raises(EngineError, match="no room for pixels"):
        Buffer(device, 1000, np.float32, "pixels")
    assert not device.pinned
    buffer = Buffer(device, 200, np.float32, "pixels")
    buffer.close()
    assert not device.pinned
    assert not device.memory
