"""Where a checkpoint says how its weights were quantized: in config.json, or in a file that a tool wrote beside it.

* ``quantization_config``, older compressed-tensors ``compression_config``: config.json, or its text_config (and what
  other families call it);
* ``quantization``: MLX's, in config.json;
* quantize_config.json (AutoGPTQ, GPTQModel), quant_config.json (AutoAWQ, with names of its own),
  quantization_config.json (AutoRound), hf_quant_config.json (NVIDIA's ModelOpt).
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source

_KEYS = ("quantization_config", "compression_config")
_INNER = ("text_config", "llm_config", "language_config")
_AWQS_OWN = {"w_bit": "bits", "q_group_size": "group_size"}


def find_quantization(source: Source) -> Fields:
    """Return the description with ``quant_method`` in it, in lower case; empty where there is none."""
    return next((fields for fields in _places(source) if fields.values), Fields({}, source.config.origin))


def find_in_config(source: Source) -> Fields:
    """Find what :func:`find_quantization` does, in config.json alone."""
    return next((fields for fields in _in_config(source) if fields.values), Fields({}, source.config.origin))


def method_of(quantization: Fields) -> str:
    """Return ``quant_method`` as it is compared: "" where it is absent or no text."""
    method = quantization.values.get("quant_method")
    return method.lower().replace("_", "-") if isinstance(method, str) else ""


def _places(source: Source) -> Iterator[Fields]:
    yield from _in_config(source)
    yield _default(source.table("quantize_config.json"), "gptq")
    yield _default(_renamed(source.table("quant_config.json")), "awq")
    yield _default(source.table("quantization_config.json"), "auto-round")
    modelopt = source.table("hf_quant_config.json")
    yield _default(modelopt.table("quantization"), "modelopt")


def _in_config(source: Source) -> Iterator[Fields]:
    for config in (source.config, *(source.config.table(name) for name in _INNER)):
        for key in _KEYS:
            yield _default(config.table(key), "compressed-tensors" if key == "compression_config" else "")
    yield _default(source.config.table("quantization"), "mlx")


def _default(fields: Fields, method: str) -> Fields:
    if not fields.values or "quant_method" in fields or not method:
        return fields
    return Fields({**fields.values, "quant_method": method}, fields.origin)


def _renamed(fields: Fields) -> Fields:
    return Fields({_AWQS_OWN.get(key, key): value for key, value in fields.values.items()}, fields.origin)
