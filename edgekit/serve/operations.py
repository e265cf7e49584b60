"""What the decoding child does with a file, each by its word: decode it for the model, keep it, mask it, show it.

An operation takes the rest of a message's line and the file's bytes, and returns what is answered: a line and bytes.
:mod:`~edgekit.serve.decoded` reads those on the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from edgekit import config
from edgekit.checkpoint.spec import ImageSpec
from edgekit.inputs.images import load_image
from edgekit.inputs.kept import keep, view
from edgekit.inputs.kept.mask import Rectangle
from edgekit.inputs.kept.picture import KeptPicture
from edgekit.inputs.prepared import PreparedPicture

Answer: TypeAlias = tuple[dict[str, Any], bytes]
Operation: TypeAlias = Callable[[Mapping[str, Any], bytes, ImageSpec], Answer]


def _decode(head: Mapping[str, Any], content: bytes, spec: ImageSpec) -> Answer:
    prepared = PreparedPicture.of(load_image(content, head["frame"]), spec)
    return {"digest": prepared.digest, "notes": prepared.notes}, prepared.values.tobytes()


def _keep(head: Mapping[str, Any], content: bytes, spec: ImageSpec) -> Answer:
    return _told(keep.keep(content))


def _mask(head: Mapping[str, Any], content: bytes, spec: ImageSpec) -> Answer:
    return _told(keep.masked(content, [Rectangle(*place) for place in head["rectangles"]]))


def _told(kept: KeptPicture) -> Answer:
    told = {
        "media_type": kept.media_type,
        "facts": config.dump(kept.facts),
        "notes": kept.notes,
        "warnings": [config.dump(warning) for warning in kept.warnings],
    }
    return told, kept.file


def _view(head: Mapping[str, Any], content: bytes, spec: ImageSpec) -> Answer:
    seen = view.view(content, head["frame"], head["side"])
    if isinstance(seen, bytes):
        return {"png": True}, seen
    return {"view": seen.document()}, seen.pixels.astype("<u2", copy=False).tobytes()


def _png(head: Mapping[str, Any], content: bytes, spec: ImageSpec) -> Answer:
    return {"png": True}, view.png(content, head["frame"], head["side"])


OPERATIONS: Mapping[str, Operation] = {"decode": _decode, "keep": _keep, "mask": _mask, "view": _view, "png": _png}
"""By the word that a message has under ``op``."""
