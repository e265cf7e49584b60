"""A target is a device that EdgeKit builds for; ``targets/NAME.toml`` holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Budget:
    """What a deployment on this target may cost; None where the target sets no limit."""

    static_bytes: int | None = None
    dynamic_bytes: int | None = None
    first_token_ms: float | None = None
    tokens_per_s: float | None = None
    load_s: float | None = None


@dataclass(frozen=True)
class Target:
    """A device: memory in bytes, bandwidth in bytes per second.

    ``memory_bytes`` is the accelerator's (or, where ``unified``, everything's; 0 = whatever the machine
    has). ``reserved_bytes`` is kept for the system, a desktop and other services.
    """

    name: str
    title: str
    arch: Literal["x86_64", "aarch64", "any"]
    memory_bytes: int
    unified: bool
    reserved_bytes: int
    bandwidth: int
    engine: Literal["onnxruntime", "onnxruntime-cuda"]
    slots: int
    context: int
    container: str
    compute_capability: str = ""
    budget: Budget = field(default_factory=Budget)

    @property
    def activations(self) -> Literal["float32", "float16"]:
        """The dtype that graphs for this target compute in."""
        return "float32" if self.engine == "onnxruntime" else "float16"
