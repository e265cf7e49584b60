"""The manifest of a bundle, ``manifest.json``: what the bundle says of itself, and the hash of every file in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.bundle.hashes import FileEntry
from edgekit.checkpoint.check import check_spec
from edgekit.checkpoint.spec import ModelSpec
from edgekit.config import load, require_format, seal
from edgekit.errors import BundleError, CheckpointError, ConfigError
from edgekit.recipe import Recipe
from edgekit.target import Target

FORMAT = 1
MANIFEST = "manifest.json"
_LARGEST_ARENA = 1 << 40  # bytes of keys and values; no machine that this is for has them


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a bundle says of itself.

    * ``format``: the version of this file's format
    * ``edgekit``: the version of EdgeKit that built it
    * ``source``: the name of the checkpoint's folder
    * ``spec``, ``recipe``, ``target``: the model, how precise it stayed, and the device that it is for
    * ``context``: tokens that a conversation may have
    * ``forced``: the gates that ``--force`` passed over
    * ``files``: every sealed file by its relative name
    """

    format: int
    edgekit: str
    source: str
    spec: ModelSpec
    recipe: Recipe
    target: Target
    context: int
    forced: tuple[str, ...]
    files: dict[str, FileEntry]


def read_manifest(path: Path, text: bytes) -> Manifest:
    """Read the text of the manifest at ``path``; :class:`BundleError` says what is wrong with it."""
    origin = str(path)
    try:
        document, _ = seal.loads(text, origin)
    except ConfigError as error:
        raise BundleError(error.message, "Copy or build the bundle again.") from error
    try:
        require_format(
            document, FORMAT, origin, "Use the EdgeKit that built it, or build the bundle again with this one."
        )
    except ConfigError as error:
        raise BundleError(error.message, error.hint) from error
    try:
        manifest = load(Manifest, document, origin)
        check_spec(manifest.spec, origin)
        _check_context(manifest, origin)
    except (ConfigError, CheckpointError) as error:
        raise BundleError(error.message, "The manifest was damaged or changed: build the bundle again.") from error
    return manifest


def _check_context(manifest: Manifest, origin: str) -> None:
    """The rule that a build keeps: an image and some text fit into the context, which the model was made for."""
    context, target, decoder = manifest.context, manifest.target, manifest.spec.decoder
    most = min(target.context, decoder.context)
    if not 1 <= manifest.spec.tokens_per_image + 64 <= context <= most:
        raise ConfigError(f"{origin} has a context of {context}; at most {most}, and more than an image takes, can be")
    tensors, rows = 2 * decoder.layers, target.slots * context
    if tensors * rows * decoder.kv_heads * decoder.head_dim * 4 > _LARGEST_ARENA:
        raise ConfigError(f"{origin} wants more keys and values than any machine holds ({target.slots} slots)")
