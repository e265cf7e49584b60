"""What a folder is, decided before anything in it is read as a model: an adapter, deltas or a part is no whole model.

A form is a function ``(source) -> CheckpointError | None``: an error for the folders that are of its form, which says
what they are and what to do. :func:`open_source` asks them in order, twice: first those that go by the files' names
and by config.json, while ``source.tensors`` is still empty (weights may be pickles, which nobody opens), then those
that go by the tensors' names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edgekit.checkpoint.documents import Fields, read_optional
from edgekit.checkpoint.forms import adapter, delta, experts, folder, part
from edgekit.checkpoint.safetensors import open_weights
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError

Recogniser = Callable[[Source], CheckpointError | None]

BY_FILES: tuple[Recogniser, ...] = (
    folder.empty,
    adapter.by_files,
    part.by_files,
    part.by_folders,
    experts.by_config,
    delta.by_name,
    folder.bundle,
    folder.elsewhere,
    folder.foreign,
    folder.incomplete,
)
BY_TENSORS: tuple[Recogniser, ...] = (adapter.by_tensors, experts.by_tensors, part.by_tensors)


def open_source(path: Path) -> Source:
    """Read a folder's config.json and its tensors' headers; :class:`CheckpointError` where it is no whole model."""
    folder.check_is_folder(path)
    config = path / "config.json"
    source = Source(path, Fields(read_optional(config), str(config)), {})
    _refuse(BY_FILES, source)
    source = replace(source, tensors=open_weights(path))
    _refuse(BY_TENSORS, source)
    return source


def _refuse(recognisers: tuple[Recogniser, ...], source: Source) -> None:
    for recognise in recognisers:
        if (error := recognise(source)) is not None:
            raise error
