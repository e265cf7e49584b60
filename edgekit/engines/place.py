"""What a compiled form was made for: a processor and a runtime, or a GPU with all that its engines are bound to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from edgekit import config
from edgekit.errors import EngineError
from edgekit.machine.detect import Machine
from edgekit.machine.gpus import Gpu, matching, silence, untold
from edgekit.machine.nvml import how_to_tell
from edgekit.target import Target


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a form depends on: packed weights on a runtime and a processor, TensorRT's engines on a GPU instead.

    - ``engine``, ``version``: the runtime's module, and its release
    - ``arch``: the processor's architecture
    - ``features``: the processor's, where weights are packed for it
    - ``device``, ``compute_capability``: the GPU's
    - ``driver``, ``cuda``: NVIDIA's driver, and the CUDA that it runs
    - ``l4t``: the release of a Jetson's system

    Engines that were built on a device are bound to all of a GPU's; those that were built ahead to a compute
    capability, and what they leave empty may be anything.
    """

    engine: str
    version: str
    arch: str
    features: tuple[str, ...] = ()
    device: str = ""
    compute_capability: str = ""
    driver: str = ""
    cuda: str = ""
    l4t: str = ""

    @property
    def fingerprint(self) -> str:
        """Names the folder, so that one bundle can hold forms for several machines."""
        given = {name: value for name, value in config.dump(self).items() if value != ""}
        return hashlib.sha256(json.dumps(given).encode()).hexdigest()[:16]

    def differences(self, other: Place) -> list[str]:
        """Return what of ``other`` is not as here, in words."""
        words = []
        if (other.engine, other.version) != (self.engine, self.version):
            words.append(f"{other.engine} {other.version}, here {self.version or 'none'}")
        if other.arch != self.arch:
            words.append(f"an {other.arch} processor, here {self.arch}")
        elif odd := sorted(set(other.features) ^ set(self.features)):
            words.append(f"a processor that differs in {', '.join(odd)}")
        for what, theirs, ours in (
            ("", other.device, self.device),
            ("compute capability ", other.compute_capability, self.compute_capability),
            ("driver ", other.driver, self.driver),
            ("CUDA ", other.cuda, self.cuda),
            ("L4T ", other.l4t, self.l4t),
        ):
            if theirs and theirs != ours:
                words.append(f"{what}{theirs}, here {ours or 'none'}")
        return words


def gpu_for(target: Target, here: Machine) -> Gpu | None:
    """Return this machine's GPU of the target's kind; None without one.

    :class:`EngineError` where there is a GPU that may be it and does not tell: a driver that was updated and not
    started anew, say, must not look like a machine without a GPU.
    """
    gpu = matching(here.gpus, target.compute_capability)
    silent = untold(here.gpus)
    if gpu is None and silent is not None and target.arch in ("any", here.arch):
        raise EngineError(f"{silence(silent)}: it may be {target.title}'s", how_to_tell())
    return gpu
