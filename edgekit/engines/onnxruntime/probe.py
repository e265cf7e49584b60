"""Does a compiled form still compute what it should, on this processor with this ONNX Runtime?

A probe is a small graph of some of the form's packed weights. Weights packed for other kernels give other
answers, and no error; so the answers are compared before every use. It takes some milliseconds, and no ``onnx``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from edgekit.onnx_session import open_graph, options

PROBE = "probe.onnx"


def answers(probe: Path) -> str:
    """Return the SHA-256 (hex) of what a probe's nodes make of a fixed pattern; :class:`EngineError` where it can't be
    run.

    On one thread: the answer must not depend on how many cores there are today.
    """
    session = open_graph(probe, "cpu", options(threads=1, final=True))
    feeds = {value.name: _pattern(value.shape) for value in session.get_inputs()}
    digest = hashlib.sha256()
    for output in session.run(None, feeds):
        digest.update(np.ascontiguousarray(output).tobytes())
    return digest.hexdigest()


def _pattern(shape: list[int]) -> np.ndarray:
    values = np.arange(int(np.prod(shape)), dtype=np.int64) * 37 % 113 - 56
    return (values / 32).astype(np.float32).reshape(shape)
