"""``build``: the stages in order, from a checkpoint to a sealed bundle that this machine can run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit import __version__
from edgekit.bundle import FORMAT, Bundle, Manifest, open_bundle, sealing
from edgekit.checkpoint import open_checkpoint
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.errors import ConfigError
from edgekit.export import export
from edgekit.progress import Progress, silent
from edgekit.quantize import quantize
from edgekit.recipe import Recipe
from edgekit.target import Target


@dataclass(frozen=True)
class Built:
    """A finished bundle, and whether this machine has compiled it for itself."""

    bundle: Bundle
    compiled: bool


def build(
    checkpoint: Path,
    target: Target,
    recipe: Recipe,
    out: Path,
    *,
    vision: Path | None = None,
    progress: Progress = silent,
) -> Built:
    """Quantize, export, seal to ``out``, and compile where this machine is of the target's kind.

    Raises :class:`~edgekit.errors.EdgeKitError`; ``out`` is then as it was before.
    """
    source = open_checkpoint(checkpoint, vision)
    seal(source, target, recipe, out, progress)
    bundle = open_bundle(out)
    return Built(bundle, _compile(bundle, progress))


def seal(source: Checkpoint, target: Target, recipe: Recipe, out: Path, progress: Progress = silent) -> None:
    """Quantize and export a checkpoint into a sealed bundle at ``out``."""
    context = usable_context(source, target)
    manifest = Manifest(FORMAT, __version__, source.path.name, source.spec, recipe, target, context, (), {})
    with sealing(out, manifest) as folder:
        export(quantize(source, recipe), target.activations, context, folder, progress)
        (folder / "tokenizer.json").write_text(source.tokenizer_json, encoding="utf-8")


def usable_context(source: Checkpoint, target: Target) -> int:
    """Tokens of context a bundle is built for: the target's, as far as the model was made for it."""
    context = min(target.context, source.spec.decoder.context)
    needed = source.spec.tokens_per_image + 64
    if context < needed:
        raise ConfigError(
            f"a context of {context} tokens is too short: one image takes {source.spec.tokens_per_image}",
            f"Give the target a context of at least {needed}.",
        )
    return context
