"""What TensorRT-RTX adds: kernels are compiled when a context is made, and a runtime cache keeps them."""

from __future__ import annotations

import json
from typing import Any

from tests.simulated_tensorrt.plan import GPU, FakePlan


class RuntimeCache:
    """Kernels by name. Like the real one, it takes nothing that was made elsewhere."""

    def __init__(self, version: str) -> None:
        self._made_for = [version, GPU]
        self.kernels: list[str] = []

    def serialize(self) -> memoryview:
        return memoryview(json.dumps([self._made_for, self.kernels]).encode())

    def deserialize(self, blob: Any) -> bool:
        try:
            made_for, kernels = json.loads(bytes(blob))
        except ValueError:
            return False
        if made_for != self._made_for:
            return False
        self.kernels = kernels
        return True


class RuntimeConfig:
    """``create_runtime_cache`` and ``set_runtime_cache`` are TensorRT-RTX's alone."""

    def __init__(self, module: Any) -> None:
        self._module, self.strategy, self._cache = module, None, RuntimeCache("of its own")
        self.cuda_graph_strategy: Any = None
        if module.__name__ == "tensorrt_rtx":
            self.create_runtime_cache = lambda: RuntimeCache(module.__version__)
            self.set_runtime_cache = self._set

    def set_execution_context_allocation_strategy(self, strategy: Any) -> None:
        self.strategy = strategy

    def _set(self, cache: RuntimeCache) -> bool:
        self._cache = cache
        return True

    def _compile(self, plan: FakePlan) -> None:
        name = plan.graph.rpartition("/")[2]
        if name not in self._cache.kernels:
            self._module.compiled.append(name)
            self._cache.kernels.append(name)
