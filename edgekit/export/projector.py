"""The projector: image features to rows that the decoder reads like words."""

from __future__ import annotations

from edgekit.checkpoint.spec import ProjectorSpec
from edgekit.export.spelling import Spelling


def build_projector(say: Spelling, projector: ProjectorSpec, tokens: int) -> None:
    """Build the graph from ``features`` ``[images, tokens, in]`` to ``embeds`` ``[images, tokens, out]``."""
    x = say.input("features", ["images", tokens, projector.widths[0]])
    for index in range(len(projector.widths) - 1):
        if index:
            x = say.activate(x, projector.activation, f"projector.{index}.act")
        x = say.linear(x, f"projector.{index}")
    say.output(x, "embeds", ["images", tokens, projector.widths[-1]])
