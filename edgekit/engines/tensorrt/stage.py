"""The vision tower and the projector: one image in, one out."""

from __future__ import annotations

import math
from contextlib import ExitStack

import numpy as np

from edgekit.checkpoint.packed import Array
from edgekit.engines.tensorrt.buffers import Buffer
from edgekit.engines.tensorrt.context import Context
from edgekit.engines.tensorrt.device import Device
from edgekit.engines.tensorrt.opened import Plan, Shape


class Stage:
    """A plan of one input and one output, run for one image at a time so that no image depends on its company.

    ``shape`` is one image's in the input, without the first axis.
    """

    def __init__(self, plan: Plan, context: Context, device: Device, given: str, wanted: str, shape: Shape) -> None:
        self._context, self._shape = context, (1, *shape)
        with ExitStack() as held:
            self._in = Buffer(device, math.prod(self._shape), "float16", f"the {given}")
            held.callback(self._in.close)
            context.give(given, self._in, self._shape)
            self._made = context.shape(wanted)
            if min(self._made) < 1:
                raise plan.unfit(f"the shape of its tensor {wanted} can't be known beforehand")
            self._out = Buffer(device, math.prod(self._made), "float16", f"the {wanted}")
            held.callback(self._out.close)
            context.bind(wanted, self._out.address)
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
