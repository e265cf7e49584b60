"""A recipe says how precise each component stays; ``build/recipes/NAME.toml`` holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from edgekit.config.shipped import load_shipped, require_name, shipped
from edgekit.errors import ConfigError

Precision = Literal["fp32", "fp16", "int8", "int4"]
Cache = Literal["activations", "int8"]
Method = Literal["rtn", "awq", "gptq", "awq+gptq"]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A gate says what a bundle's answers must keep; docs/check.md has what each figure is and what was measured.

    Beside the unquantized model:

    * ``top1``: the least share of its decided first choices
    * ``kl``: the most mean divergence in nats
    * ``perplexity``: the most ratio
    * ``loss``: the most relative error of vision tower, projector and embedding

    Beside the bundle's own weights in exact arithmetic:

    * ``error``: the most relative error of a component, on processors that add up in float32
    * ``offset``: of the projector, what all rows are off by alike, beyond what noise explains
    """

    top1: float = 0.9
    kl: float = 0.1
    perplexity: float = 1.2
    loss: float = 0.1
    error: float = 0.15
    offset: float = 0.0015

    def __post_init__(self) -> None:
        if not 0 <= self.top1 <= 1 or min(self.kl, self.perplexity, self.loss, self.error, self.offset) < 0:
            raise ConfigError("A limit of 'gate' is no share from 0 to 1, or is below 0", "Correct it.")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A recipe names a precision for each component: int4 has one scale per ``group`` inputs, int8 one per output row.

    * ``vision``, ``projector``, ``embedding``, ``decoder``, ``lm_head``: the components' precisions
    * ``kv``: keys and values are kept in the dtype of activations, or in int8, which engines on a CPU have kernels for
    * ``method``: how the decoder's codes are found: "rtn" rounds to nearest; the others look at what the model reads
      (``--calibrate``): "awq" scales inputs and clips (int4), "gptq" lets later inputs make up for errors, or both
    * ``int8_layers``: layers of an int4 decoder that stay in int8, counted from 0
    * ``vision_ranges``: whether an int8 tower finds the ranges of what it reads at every call, or has them fixed, where
      its output stands that
    * ``gate``: what answers must keep
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
    int8_layers: tuple[int, ...] = ()
    vision_ranges: Literal["dynamic", "static"] = "dynamic"
    gate: Gate = field(default_factory=Gate)

    def __post_init__(self) -> None:
        require_name(self.name)

    def precision(self, component: str, layer: int | None = None) -> Precision:
        """Return the precision of "vision", "projector", "embedding", "decoder" (of one of its layers) or "lm_head"."""
        value: Precision = getattr(self, component)
        return "int8" if component == "decoder" and layer in self.int8_layers else value

    @property
    def shares_head(self) -> bool:
        """Whether a head that is tied to the embedding has the very same codes, which are kept once."""
        return self.embedding == self.lm_head == "int8"


def recipe(word: str) -> Recipe:
    """Return a recipe by its name ("q4") or by the path of its TOML file; :class:`ConfigError` where there is none."""
    return load_shipped("recipes", word, Recipe)


def recipes() -> list[Recipe]:
    """Return every recipe that ships with EdgeKit, in alphabetical order."""
    return [recipe(name) for name in shipped("recipes")]
