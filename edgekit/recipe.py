"""A recipe says how precise each component stays; ``build/recipes/NAME.toml`` holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgekit.data import load_shipped, require_name, shipped

Precision = Literal["fp32", "fp16", "int8", "int4"]
Cache = Literal["activations", "int8"]
Method = Literal["rtn", "awq", "gptq", "awq+gptq"]


@dataclass(frozen=True)
class Recipe:
    """Precision per component. int4 has one scale per ``group`` inputs, int8 one per output row.

    ``method`` is how int4 codes are found: "rtn" rounds to nearest; the others look at what the model reads
    (``--calibrate``): "awq" scales inputs and clips, "gptq" lets later inputs make up for errors, or both.
    ``kv``: keys and values are kept in the dtype of activations, or in int8, which engines on a CPU have kernels for.
    """

    name: str
    title: str
    vision: Precision
    projector: Precision
    embedding: Precision
    decoder: Precision
    lm_head: Precision
    kv: Cache = "activations"
    group: Literal[32, 64, 128] = 128
    method: Method = "rtn"

    def __post_init__(self) -> None:
        require_name(self.name)

    def precision(self, component: str) -> Precision:
        """The precision of "vision", "projector", "embedding", "decoder" or "lm_head"."""
        value: Precision = getattr(self, component)
        return value


def recipe(word: str) -> Recipe:
    """A recipe by its name ("q4") or by the path of its TOML file; :class:`ConfigError` where there is none."""
    return load_shipped("recipes", word, Recipe)


def recipes() -> list[Recipe]:
    """Every recipe that ships with EdgeKit, in alphabetical order."""
    return [recipe(name) for name in shipped("recipes")]
