"""The ways in which checkpoints of this family are written down: one file each, tried in order.

A dialect is a module with ``NAME``, ``MODEL_TYPES`` (what it is called in messages), ``claims(source)``
and ``read(source, vision) -> Reading``. A new family is one new file and its place in the list.
"""

from __future__ import annotations

from typing import Protocol

from edgekit.checkpoint.architectures import DECODERS, TOWERS
from edgekit.checkpoint.dialects import factory, huggingface, llava
from edgekit.checkpoint.dialects.reading import Reading
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError


class Dialect(Protocol):
    """A module of this package."""

    @property
    def NAME(self) -> str: ...
    @property
    def MODEL_TYPES(self) -> tuple[str, ...]: ...
    def claims(self, source: Source) -> bool:
        """Tell whether a checkpoint is written in this dialect; looks at its config and tensor names only."""
        ...

    def read(self, source: Source, vision: Source | None) -> Reading:
        """Return the model's description, and under which names its tensors lie."""
        ...


# The Factory shares a model_type with the legacy layout, and is told by its key names: it goes first.
DIALECTS: tuple[Dialect, ...] = (huggingface, factory, llava)


def find_dialect(source: Source) -> Dialect:
    """Return the dialect that claims ``source``; :class:`CheckpointError` that lists the supported ones otherwise."""
    for dialect in DIALECTS:
        if dialect.claims(source):
            return dialect
    for parts, content in ((DECODERS, "a language model that does not see"), (TOWERS, "a vision tower alone")):
        if any(source.model_type in part.KINDS for part in parts):
            raise CheckpointError(
                f"{source.path} holds {content} (model_type {source.model_type!r}), no vision-language model",
                "Give the model that both are parts of; a tower goes beside one as --vision DIR.",
            )
    readable = "; ".join(f"{', '.join(dialect.MODEL_TYPES)} ({dialect.NAME})" for dialect in DIALECTS)
    raise CheckpointError(
        f"{source.config.origin} has the model_type {source.model_type[:60]!r}, which EdgeKit does not read",
        f"It reads these: {readable}.",
    )
