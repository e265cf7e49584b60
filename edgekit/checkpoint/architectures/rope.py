"""Rotary settings, under the keys of transformers 5 (``rope_parameters``) and of version 4 (``rope_scaling``).

Where both stand, ``rope_scaling`` goes first, and what a table does not say stands beside it: as transformers 5
reads them (``RotaryEmbeddingConfigMixin``).
"""

from __future__ import annotations

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.spec import RopeSpec
from edgekit.errors import CheckpointError

_THETA = 10000.0  # of LLaMA, Mistral and Phi, in every version


def rope(config: Fields, head_dim: int, partial: float = 1.0) -> RopeSpec:
    """Read the rotary settings; ``partial`` is the architecture's default for the part of a head that is rotated."""
    scaling = _table(config)
    theta = _holder(scaling, config, "rope_theta").positive("rope_theta", _THETA)
    # transformers rounds down, as int() does.
    holder = _holder(scaling, config, "partial_rotary_factor")
    dim = int(head_dim * holder.positive("partial_rotary_factor", partial))
    if not 2 <= dim <= head_dim or dim % 2:
        raise CheckpointError(
            f"{config.origin} rotates {dim} of {head_dim} elements per head",
            "Compare config.json with the published one.",
        )
    kind = _kind(scaling)
    if kind in ("default", "dynamic"):
        return RopeSpec(theta=theta, dim=dim)
    if kind == "linear":
        return RopeSpec(theta=theta, dim=dim, scaling="linear", factor=scaling.positive("factor"))
    if kind == "llama3":
        return RopeSpec(
            theta=theta,
            dim=dim,
            scaling="llama3",
            factor=scaling.positive("factor"),
            low_freq_factor=scaling.positive("low_freq_factor"),
            high_freq_factor=scaling.positive("high_freq_factor"),
            original_context=scaling.count("original_max_position_embeddings"),
        )
    raise CheckpointError(
        f"{config.origin} scales its rotary embedding by the rule {kind[:40]!r}, which EdgeKit does not build",
        "It builds: default, linear, llama3; of dynamic, the context that it was trained for.",
    )


def rope_notes(config: Fields, context: int) -> tuple[str, ...]:
    """Say where the rotary embedding is rescaled: "dynamic" does so beyond ``context``
    (max_position_embeddings) alone; up to there it is default.
    """
    if _kind(_table(config)) != "dynamic":
        return ()
    return (f"Its rotary embedding is rescaled beyond {context} tokens; EdgeKit's context ends there.",)


def _table(config: Fields) -> Fields:
    old = config.table("rope_scaling")
    table = old if old.values else config.table("rope_parameters")
    if layered := [key for key, value in table.values.items() if isinstance(value, dict)]:
        raise CheckpointError(
            f"{table.origin} differs from layer to layer ({', '.join(layered)[:80]}), which EdgeKit does not build",
            "It builds decoders whose layers all rotate alike: LLaMA, Mistral, Phi.",
        )
    return table


def _kind(scaling: Fields) -> str:
    return scaling.text("rope_type", scaling.text("type", "default"))


def _holder(table: Fields, config: Fields, key: str) -> Fields:
    return table if key in table else config
