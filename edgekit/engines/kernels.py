"""Which ONNX Runtime has the kernels that a recipe asks for."""

from __future__ import annotations

import onnxruntime as ort

from edgekit.errors import EngineError
from edgekit.onnx_session import version
from edgekit.recipe import Recipe

INT8_CACHE_SINCE = (1, 28)
"""The first whose CPU attention is right over an int8 cache. 1.27 has it, too, but of rows that decode together only
the first is right; 1.26 fails at the first question, 1.23 refuses the graph (each was tried)."""


def require_kernels(recipe: Recipe) -> None:
    """:class:`EngineError` where the installed runtime is too old for the recipe's KV cache."""
    if recipe.kv == "int8" and version() < INT8_CACHE_SINCE:
        since = ".".join(map(str, INT8_CACHE_SINCE))
        raise EngineError(
            f"This bundle keeps keys and values in int8, which ONNX Runtime {ort.__version__} can't compute with",
            f"Run: pip install 'onnxruntime>={since}'. Or build it by a recipe with kv = \"activations\".",
        )
