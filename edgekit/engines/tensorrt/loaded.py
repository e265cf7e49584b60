"""The three plans of a bundle, opened, with a context for each use and one scratch for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from edgekit.engines.gpu.device import Device
from edgekit.engines.tensorrt.cache import RuntimeCache
from edgekit.engines.tensorrt.context import Context
from edgekit.engines.tensorrt.decoder import DECODE, PREFILL
from edgekit.engines.tensorrt.log import Log, logger
from edgekit.engines.tensorrt.opened import EnginePlan, because, open_plan, title
from edgekit.errors import EngineError

_USES = (("vision", 0), ("projector", 0), ("decoder", DECODE), ("decoder", PREFILL))
"""A new context takes the first profile, and TensorRT logs an error where another has it: so decode's comes first."""


class Loaded:
    """Opens ``vision.plan``, ``projector.plan`` and ``decoder.plan`` of a folder; closed, it gives all back.

    ``remedy`` is what an error says to do where a plan can't be used; ``digests``, by the files' names, are what those
    of an installed bundle have to have.
    """

    def __init__(
        self, folder: Path, module: Any, device: Device, remedy: str, digests: Mapping[str, str] | None = None
    ) -> None:
        self._device, self._scratch = device, 0
        self._contexts: list[Context] = []
        self.plans: dict[str, EnginePlan] = {}
        self.cache = RuntimeCache(folder)
        log = Log()
        self._logger = logger(module, log)
        try:
            self._runtime: Any = module.Runtime(self._logger)
            for name in ("vision", "projector", "decoder"):
                path = folder / f"{name}.plan"
                digest = (digests or {}).get(path.name, "")
                self.plans[name] = open_plan(path, self._runtime, module, log, remedy, digest)
            self.plans["vision"].require({"pixels": "float16", "features": "float16"}, profiles=1)
            self.plans["projector"].require({"features": "float16", "embeds": "float16"}, profiles=1)
        except EngineError:
            self.close()
            raise
        except Exception as error:  # no runtime: whatever the binding raises
            self.close()
            raise EngineError(
                f"{title(module)} can't start{because(log, error)}",
                "Run `edgekit doctor` on the machine that is to run the bundle.",
            ) from error

    def contexts(self) -> list[Context]:
        """Return those of vision, projector, decode and prefill; none of them may run while another does."""
        size = max(plan.scratch_bytes for plan in self.plans.values())
        self._scratch = self._device.allocate(size, "scratch")
        for name, profile in _USES:
            repeats = (name, profile) == ("decoder", DECODE)
            context = Context(self.plans[name], profile, self._device, self.cache, repeats=repeats)
            self._contexts.append(context)
            context.equip(self._scratch, size)
        return self._contexts

    def close(self) -> None:
        """Contexts before plans, plans before the runtime; what was compiled since the start is kept."""
        if self._contexts:
            self.cache.keep()
        for context in self._contexts:
            context.close()
        self._contexts = []
        self.plans.clear()
        self.cache.close()
        self._runtime = None
        if self._scratch:
            self._device.free(self._scratch)
            self._scratch = 0

    def __enter__(self) -> Loaded:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
