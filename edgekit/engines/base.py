"""The one protocol of the house: what every runtime must do, whatever runs beneath it.

A slot is a row of the KV arena, ``context`` tokens long, allocated once. An engine remembers how many
tokens of each slot are valid: ``prefill`` sets it to ``start + len(embeds)``, ``decode`` adds one,
``copy`` sets the target's. Calling ``prefill`` with a smaller ``start`` forgets what lay behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edgekit.checkpoint.packed import Array

Logits = npt.NDArray[np.float32]


class Engine(Protocol):
    """A loaded model with its KV arena. Not thread-safe: one caller at a time."""

    @property
    def slots(self) -> int: ...
    @property
    def context(self) -> int: ...
    @property
    def chunk(self) -> int:
        """The most tokens that one ``prefill`` call takes."""
        ...

    @property
    def kv_bytes(self) -> int:
        """Bytes of the KV arena, allocated once."""
        ...

    def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
        """Run vision tower and projector: ``[images, 3, size, size]`` → ``[images, tokens, hidden]``."""
        ...

    def embed(self, tokens: Sequence[int]) -> Array:
        """Return rows of the embedding table, ``[len(tokens), hidden]`` in the engine's activation dtype."""
        ...

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        """Read ``embeds`` ``[n, hidden]``, 1 ≤ n ≤ chunk, into ``slot`` from position ``start``; logits ``[vocab]``."""
        ...

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        """Append one token to each of the given slots; logits ``[len(slots), vocab]`` in the same order."""
        ...

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens' keys and values from one slot to another."""
        ...

    def close(self) -> None: ...


class PartedEngine(Engine, Protocol):
    """An engine whose vision tower and projector can be run apart: a check looks at each alone."""

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU computes the answers; else the processor does."""
        ...

    @property
    def plans(self) -> Path | None:
        """The folder of the compiled plans that give the answers; None where graphs do."""
        ...

    def features(self, pixels: npt.NDArray[np.float32]) -> Array:
        """Run the vision tower: ``[images, 3, size, size]`` → ``[images, tokens, width]``."""
        ...

    def project(self, features: Array) -> Array:
        """Run the projector: ``[images, tokens, width]`` → ``[images, tokens, hidden]``."""
        ...
