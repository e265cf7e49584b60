"""Rotary settings, under the keys of transformers 5 (``rope_parameters``) and of version 4."""

from __future__ import annotations

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.spec import RopeSpec
from edgekit.errors import CheckpointError


def rope(config: Fields, head_dim: int, partial: float = 1.0) -> RopeSpec:
    """``partial`` is the architecture's default for the part of a head that is rotated."""
    new = config.table("rope_parameters")
    scaling = new if new.values else config.table("rope_scaling")
    theta = new.positive("rope_theta") if "rope_theta" in new else config.positive("rope_theta", 10000.0)
    holder = new if "partial_rotary_factor" in new else config
    # transformers rounds down, as int() does.
    dim = int(head_dim * holder.positive("partial_rotary_factor", partial))
    if not 2 <= dim <= head_dim or dim % 2:
        raise CheckpointError(
            f"{config.where} rotates {dim} of {head_dim} elements per head",
            "Compare config.json with the published one.",
        )
    kind = scaling.text("rope_type", scaling.text("type", "default"))
    if kind == "default":
        return RopeSpec(theta, dim)
    if kind == "linear":
        return RopeSpec(theta, dim, "linear", scaling.positive("factor"))
    if kind == "llama3":
        return RopeSpec(
            theta,
            dim,
            "llama3",
            factor=scaling.positive("factor"),
            low_freq_factor=scaling.positive("low_freq_factor"),
            high_freq_factor=scaling.positive("high_freq_factor"),
            original_context=scaling.count("original_max_position_embeddings"),
        )
    raise CheckpointError(
        f"{config.where} scales its rotary embedding by the rule {kind[:40]!r}, which EdgeKit does not build",
        "It builds: default, linear, llama3.",
    )
