"""An execution context: one profile of a plan with its shapes and addresses set, ready to run.

TensorRT forgets nothing between runs, so only what differs from the last one is set again: a token decoded after
another sets nothing. It answers False, and logs why; that becomes an :class:`~edgekit.errors.EngineError`.

The vision tower and the projector are a :class:`Stage` each: one image in, one out.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Any

import numpy as np

from edgekit.checkpoint.packed import Array
from edgekit.engines.gpu.buffers import Buffer
from edgekit.engines.gpu.device import Device
from edgekit.engines.tensorrt.cache import RuntimeCache
from edgekit.engines.tensorrt.opened import EnginePlan, Shape
from edgekit.target.kinds import ADDRESS_ALIGNMENT


class Context:
    """``profile`` of ``plan``. It can run once :meth:`equip` gave it scratch memory.

    ``repeats``: the same shapes will come again and again. TensorRT-RTX captures such runs itself, when it has compiled
    its kernels for them, and :attr:`captures` is True then: nobody else should.
    """

    def __init__(
        self, plan: EnginePlan, profile: int, device: Device, cache: RuntimeCache, *, repeats: bool = False
    ) -> None:
        self._plan, self._profile, self._device = plan, profile, device
        self._repeats, self.captures = repeats, False
        self._config: Any = None  # a context uses it for as long as it lives
        self._set: dict[str, tuple[int, Shape | None]] = {}
        self._context = self._create(cache)

    def _create(self, cache: RuntimeCache) -> Any:
        engine = self._plan.engine
        managed = self._plan.module.ExecutionContextAllocationStrategy.USER_MANAGED
        self._plan.log.forget()
        try:
            if hasattr(engine, "create_runtime_config"):
                self._config = engine.create_runtime_config()
                self._config.set_execution_context_allocation_strategy(managed)
                cache.attach(self._config)
                self._capture_itself(self._config)
                context = engine.create_execution_context(runtime_config=self._config)
            else:  # TensorRT before it knew configs
                context = engine.create_execution_context(managed)
        except Exception as error:  # whatever the binding raises
            raise self._plan.failed("can't be made ready", error) from error
        if context is None:
            raise self._plan.failed("can't be made ready")
        return context

    def _capture_itself(self, config: Any) -> None:
        strategies = getattr(self._plan.module, "CudaGraphStrategy", None)  # TensorRT-RTX's alone
        if self._repeats and strategies is not None:
            config.cuda_graph_strategy = strategies.WHOLE_GRAPH_CAPTURE
            self.captures = True

    def reads_here(self, tensor: str) -> bool:
        """Return whether TensorRT reads an input from the host's memory, when a run is queued."""
        return self._plan.on_host(tensor)

    def equip(self, scratch: int, size: int) -> None:
        """Lend ``size`` bytes of the GPU at ``scratch``; contexts that never run at once may share them."""
        self._plan.log.forget()
        self._context.set_device_memory(scratch, size)
        if not self._context.set_optimization_profile_async(self._profile, self._device.stream):
            raise self._plan.failed("can't be made ready")
        self._device.synchronize()

    def give(self, tensor: str, buffer: Buffer, shape: Shape) -> None:
        """Take an input from a buffer that was sent: on the GPU, or here where TensorRT reads it here."""
        self.bind(tensor, buffer.host_address if self.reads_here(tensor) else buffer.address, shape)

    def bind(self, tensor: str, address: int, shape: Shape | None = None) -> None:
        """Set where a tensor lies; an input's shape as well."""
        assert address % ADDRESS_ALIGNMENT == 0, f"{tensor} at {address}"
        if self._set.get(tensor) == (address, shape):
            return
        self._set.pop(tensor, None)
        self._plan.log.forget()
        varies = shape is not None and not self._plan.fixed(tensor)
        if varies and not self._context.set_input_shape(tensor, shape):
            raise self._plan.failed(f"takes no {tensor} of shape {shape}")
        if not self._context.set_tensor_address(tensor, address):
            raise self._plan.failed(f"takes no {tensor}")
        self._set[tensor] = address, shape

    def shape(self, tensor: str) -> Shape:
        """Return the shape of an output, given the inputs' as they are set."""
        return tuple(self._context.get_tensor_shape(tensor))

    def run(self) -> None:
        """Queue the run on the device's stream."""
        self._plan.log.forget()
        try:
            queued = self._context.execute_async_v3(self._device.stream)
        except Exception as error:  # whatever the binding raises
            raise self._plan.failed("failed", error) from error
        if not queued:
            raise self._plan.failed("failed")

    def close(self) -> None:
        """Let go of TensorRT's objects, the plan's engine among them."""
        self._context = self._config = None
        del self._plan


class Stage:
    """A plan of one input and one output, run for one image at a time so that no image depends on its company.

    ``shape`` is one image's in the input, without the first axis.
    """

    def __init__(
        self, plan: EnginePlan, context: Context, device: Device, input_name: str, output_name: str, shape: Shape
    ) -> None:
        self._context, self._shape = context, (1, *shape)
        with ExitStack() as held:
            self._in = Buffer(device, math.prod(self._shape), "float16", f"the {input_name}")
            held.callback(self._in.close)
            context.give(input_name, self._in, self._shape)
            self._made = context.shape(output_name)
            if min(self._made) < 1:
                raise plan.unfit(f"the shape of its tensor {output_name} can't be known beforehand")
            self._out = Buffer(device, math.prod(self._made), "float16", f"the {output_name}")
            held.callback(self._out.close)
            context.bind(output_name, self._out.address)
            self._held = held.pop_all()

    def run(self, images: Array) -> Array:
        """``[images, …]`` → ``[images, …]``, float16."""
        assert images.shape[1:] == self._shape[1:]
        return np.concatenate([self._one(image) for image in images])

    def _one(self, image: Array) -> Array:
        self._in.send(image)
        self._context.run()
        return self._out.fetch(math.prod(self._made)).reshape(self._made)

    def close(self) -> None:
        self._held.close()
