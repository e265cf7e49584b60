"""What ran a model, in one word of the audit: where it differs, another answer is no sign that anything was changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgekit import machine
from edgekit.machine.gpus import matching

if TYPE_CHECKING:
    from edgekit.runtime.model import Model


def engine_words(model: Model) -> str:
    """Return the runtime with its release, the processor's architecture and what of it counts, and the GPU that
    computes, where one does: "onnxruntime/1.32.0/x86_64/avx2+avx512f".
    """
    from edgekit.engines.backend import backend_for  # heavy, and there where there is a model

    here, target = machine.look(), model.bundle.manifest.target
    words = [target.kind.name, backend_for(model.bundle).version(), here.arch, "+".join(here.features)]
    if target.kind.on_gpu and (gpu := matching(here.gpus, target.compute_capability)):
        words += [gpu.name, gpu.compute_capability, gpu.driver]
    return "/".join(re.sub(r"[^A-Za-z0-9_.+:-]+", "-", word) or "none" for word in words)
