"""An execution context for tests: checks what TensorRT checks, then queues a run of the graph by ONNX Runtime."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Shape = tuple[int, ...]


class Context:
    def __init__(self, engine: Any, complain: Callable[[str], None], dtypes: Mapping[Any, Any]) -> None:
        self._engine, self._device, self._dtypes = engine, engine.module.device, dtypes
        self._complain = complain
        self.profile: int | None = None
        self._scratch: tuple[int, int] | None = None
        fixed = {name: engine.get_tensor_shape(name) for name in engine.inputs}
        self._fixed: dict[str, Shape] = {name: tuple(shape) for name, shape in fixed.items() if -1 not in shape}
        self._shapes = dict(self._fixed)
        self._addresses: dict[str, int] = {}
        self._put_off = True  # what TensorRT does at the first run after a change, and can't do in a capture
        if any(other.profile == 0 for other in engine.contexts):
            complain("Profile 0 has been chosen by another IExecutionContext. Use another profileIndex.")
        else:
            self.profile = 0

    def set_device_memory(self, memory: int, size: int) -> None:
        self._scratch = memory, size

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        assert stream_handle == self._device.stream
        if not 0 <= profile_index < len(self._engine.plan.profiles):
            return self._no(f"profile {profile_index} is out of range")
        if any(other is not self and other.profile == profile_index for other in self._engine.contexts):
            return self._no(f"profile {profile_index} is in use by another context")
        self.profile = profile_index
        self._shapes = dict(self._fixed)
        self._put_off = True
        return True

    def set_input_shape(self, name: str, shape: Shape) -> bool:
        if name not in self._engine.inputs or self.profile is None:
            return self._no(f"{name} is no input, or no profile is set")
        declared = self._engine.inputs[name].shape
        least, _, most = self._engine.plan.profiles[self.profile].get(name, (shape, shape, shape))
        fits = len(shape) == len(declared) and all(
            low <= size <= high and (isinstance(dim, str) or dim == size)
            for size, low, high, dim in zip(shape, least, most, declared, strict=True)
        )
        if not fits:
            return self._no(
                f"Set dimension {list(shape)} for tensor {name} does not satisfy any optimization profiles."
            )
        self._put_off |= self._shapes.get(name) != tuple(shape)
        self._shapes[name] = tuple(shape)
        return True

    def set_tensor_address(self, name: str, memory: int) -> bool:
        if name not in self._engine.inputs and name not in self._engine.outputs:
            return self._no(f"there is no tensor {name}")
        self._addresses[name] = memory
        return True

    def get_tensor_shape(self, name: str) -> Shape:
        if name in self._shapes:
            return self._shapes[name]
        symbols = self._symbols() or {}
        declared = (self._engine.inputs | self._engine.outputs)[name].shape
        return tuple(symbols.get(dim, -1) if isinstance(dim, str) else dim for dim in declared)

    def execute_async_v3(self, stream_handle: int) -> bool:
        assert stream_handle == self._device.stream
        if problem := self._problem():
            return self._no(f"IExecutionContext::enqueueV3: Error Code 3: {problem}")
        if self._put_off and self._device.capturing:
            return self._no("IExecutionContext::enqueueV3: Error Code 1: not permitted when stream is capturing")
        self._put_off = False
        hosted = {
            name: self._read(name, self._shapes[name], self._addresses[name], self._device.at_host)
            for name in self._engine.plan.on_host
        }
        shapes, addresses = dict(self._shapes), dict(self._addresses)
        self._device.queue(lambda: self._run(shapes, addresses, hosted))
        return True

    def _problem(self) -> str:
        if self.profile is None:
            return "no profile is set"
        if self._scratch is None or self._scratch[1] < max(self._engine.plan.scratch) or self._scratch[0] % 256:
            return "the device memory is too small, or askew"
        for name in self._engine.inputs:
            if name not in self._shapes:
                return f"the shape of {name} is not set"
        if self._symbols() is None:
            return "dimensions of one name differ"
        for name in (*self._engine.inputs, *self._engine.outputs):
            if not self._addresses.get(name):
                return f"Neither address or allocator is set for {name}"
            if self._addresses[name] % 256:
                return f"the address of {name} is misaligned"
        return ""

    def _symbols(self) -> dict[str, int] | None:
        found: dict[str, int] = {}
        for name, shape in self._shapes.items():
            for dim, size in zip(self._engine.inputs[name].shape, shape, strict=True):
                if isinstance(dim, str) and found.setdefault(dim, size) != size:
                    return None
        return found

    def _read(self, name: str, shape: Shape, address: int, at: Callable[[int, int], Any]) -> Any:
        dtype = self._dtypes[self._engine.get_tensor_dtype(name)]
        memory = at(address, math.prod(shape) * np.dtype(dtype).itemsize)
        return memory.view(dtype).reshape(shape).copy()

    def _run(self, shapes: dict[str, Shape], addresses: dict[str, int], hosted: dict[str, Any]) -> None:
        assert self._scratch
        self._device.at(*self._scratch)[:] = 0xAB  # what was there is gone
        feeds = {name: hosted.get(name) for name in shapes}
        for name in shapes.keys() - hosted.keys():
            feeds[name] = self._read(name, shapes[name], addresses[name], self._device.at)
        names = list(self._engine.outputs)
        for name, made in zip(names, self._engine.session.run(names, feeds), strict=True):
            self._device.at(addresses[name], made.nbytes)[:] = np.ascontiguousarray(made).reshape(-1).view(np.uint8)

    def _no(self, why: str) -> bool:
        self._complain(why)
        return False
