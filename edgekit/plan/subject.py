"""What a plan needs to know of a model, taken from a checkpoint's headers or a bundle's manifest: no weight is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, cast

from edgekit.bundle import Bundle
from edgekit.checkpoint.checkpoint import Checkpoint, component, is_matrix, layer_of
from edgekit.checkpoint.packed import Tensor, is_packed
from edgekit.checkpoint.prequantized.matrix import UnpackedMatrix
from edgekit.checkpoint.shapes import Shape, cache_scales, input_ranges, tensor_shapes
from edgekit.checkpoint.spec import ModelSpec
from edgekit.errors import ConfigError
from edgekit.recipe import Recipe

Model: TypeAlias = Checkpoint | Bundle
_ENGINES = "engines"  # a bundle's folder for what devices add


@dataclass(frozen=True)
class TensorKind:
    """Tensors of one component that are counted alike. ``matrix``: a recipe may quantize them; ``layer``: it may say
    how for each (a decoder's). ``tied``: an embedding whose numbers are the head's, too."""

    part: str
    matrix: bool
    shape: Shape
    layer: int | None = None
    tied: bool = False


TensorCounts: TypeAlias = Mapping[TensorKind, int]
"""How many tensors there are of each kind."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model to be planned.

    * ``name`` and ``spec`` of the model; ``tensors``: how many of each kind
    * ``by_recipe`` and ``by_context``: whether another recipe and another context can be chosen for it; not of a
      bundle, and no other recipe for packed weights
    * ``stored_bytes``: the widest float that it is stored in
    * ``checkpoint_bytes`` (0: a bundle) and ``tokenizer_bytes``: its files'
    * ``sealed_bytes`` and ``compiled_bytes``: a bundle's (0: a checkpoint, nothing compiled yet)
    """

    name: str
    spec: ModelSpec
    tensors: TensorCounts
    by_recipe: bool
    by_context: bool
    stored_bytes: int
    checkpoint_bytes: int
    tokenizer_bytes: int
    sealed_bytes: int = 0
    compiled_bytes: int = 0


def subject_of(model: Model, recipe: Recipe) -> Subject:
    """Take from ``model`` what a plan by ``recipe`` needs.

    :class:`~edgekit.errors.EdgeKitError` where the model can't be built by that recipe.
    """
    if recipe.embedding == "int4":
        raise ConfigError(f"recipe '{recipe.name}' has embedding = int4", "Use embedding = int8 or wider.")
    return _bundle(model) if isinstance(model, Bundle) else _checkpoint(model, recipe)


def _checkpoint(model: Checkpoint, recipe: Recipe) -> Subject:
    scales = cache_scales(model.spec.decoder) | input_ranges(model.spec)  # the recipe says whether there will be some
    packed = any(is_packed(tensor) for tensor in model.tensors.values())
    if packed:
        from edgekit.quantize import quantize  # a device that only runs bundles has no use for it

        quantize(model, recipe)  # refuses a recipe that the packed weights don't fit
    return Subject(
        name=model.path.resolve().name,
        spec=model.spec,
        tensors=count_tensors(
            {name: tensor.shape for name, tensor in model.tensors.items() if name not in scales},
            model.spec.decoder.tied,
        ),
        by_recipe=not packed,
        by_context=True,
        stored_bytes=max(
            (
                cast("Tensor", tensor).dtype.itemsize
                for tensor in model.tensors.values()
                if not is_packed(tensor) and not isinstance(tensor, UnpackedMatrix)
            ),
            default=2,
        ),
        checkpoint_bytes=model.bytes,
        tokenizer_bytes=len(model.tokenizer_json.encode()),
    )


def _bundle(model: Bundle) -> Subject:
    tokenizer = model.manifest.files.get("tokenizer.json")
    return Subject(
        name=model.manifest.source,
        spec=model.manifest.spec,
        tensors=count_tensors(tensor_shapes(model.manifest.spec), model.manifest.spec.decoder.tied),
        by_recipe=False,
        by_context=False,
        stored_bytes=2,
        checkpoint_bytes=0,
        tokenizer_bytes=tokenizer.bytes if tokenizer else 0,
        sealed_bytes=model.bytes,
        compiled_bytes=_compiled_bytes(model.path / _ENGINES),
    )


def untied(tensors: TensorCounts) -> TensorCounts:
    """Count as :func:`count_tensors` does where the embedding is not read out of a tied head."""
    if not any(kind.tied for kind in tensors):
        return tensors
    return {replace(kind, tied=False): count for kind, count in tensors.items()}


def count_tensors(shapes: Mapping[str, Shape], tied: bool = False) -> TensorCounts:
    """Count named tensors by kind; ``tied``: the head is the embedding."""
    return Counter(
        TensorKind(
            part, is_matrix(name), shape, layer_of(name) if part == "decoder" else None, tied and part == "embedding"
        )
        for name, shape in shapes.items()
        for part in (component(name),)
    )


def _compiled_bytes(folder: Path) -> int:
    """Of the largest compiled form: a folder may hold those of several machines."""
    forms = [form for form in folder.glob("*") if form.is_dir()]
    return max((sum(file.stat().st_size for file in form.rglob("*") if file.is_file()) for form in forms), default=0)
