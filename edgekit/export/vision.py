"""A CLIP or SigLIP vision tower: pixels to the features of the selected layer."""

from __future__ import annotations

from edgekit.checkpoint.spec import VisionSpec
from edgekit.export.spelling import Spelling


def build_vision(say: Spelling, vision: VisionSpec) -> None:
    """Build the graph from ``pixels`` ``[images, 3, size, size]`` to ``features`` ``[images, tokens, hidden]``."""
    x = embed(say, vision)
    normed = say.norm(x, "vision.layers.0.norm1", "layer", vision.norm_eps) if vision.layers else x
    for index in range(vision.layers):
        y, x = layer(say, normed, x, index, vision)
        if index + 1 < vision.layers:
            normed, x = say.add_norm(y, x, f"vision.layers.{index + 1}.norm1", "layer", vision.norm_eps)
        else:
            x = say.add(y, x, f"vision.layers.{index}.residual")
    finish(say, x, vision)


def embed(say: Spelling, vision: VisionSpec) -> str:
    """Turn ``pixels``, an input of the graph, into the rows that the first layer reads."""
    pixels = say.input("pixels", ["images", 3, vision.image_size, vision.image_size])
    x = say.patches(pixels, "vision.patch", vision.hidden, vision.patch)
    if vision.has_cls:
        x = say.prepend(x, "vision.cls", vision.hidden)
    x = say.add(x, say.parameter("vision.position.weight"), "vision.position")
    return say.norm(x, "vision.pre_norm", "layer", vision.norm_eps) if vision.kind == "clip" else x


def layer(say: Spelling, normed: str, residual: str, index: int, vision: VisionSpec) -> tuple[str, str]:
    """Write one layer on ``norm1(residual)``: return what it adds, and the residual to add it to."""
    name = f"vision.layers.{index}"
    attended = _attention(say, normed, f"{name}.attn", vision)
    normed, residual = say.add_norm(attended, residual, f"{name}.norm2", "layer", vision.norm_eps)
    x = say.activate(say.linear(normed, f"{name}.mlp.up"), vision.activation, f"{name}.mlp.act")
    return say.linear(x, f"{name}.mlp.down"), residual


def finish(say: Spelling, x: str, vision: VisionSpec) -> None:
    """Turn the last layer's rows into ``features``, an output of the graph."""
    if vision.post_norm:
        x = say.norm(x, "vision.post_norm", "layer", vision.norm_eps)
    if vision.drop_cls:
        x = say.drop_first(x, "vision.patches")
    say.output(x, "features", ["images", vision.tokens, vision.hidden])


def _attention(say: Spelling, x: str, name: str, vision: VisionSpec) -> str:
    qkv = say.linear(x, f"{name}.qkv", [f"{name}.{part}" for part in "qkv"])
    return say.linear(say.self_attention(qkv, vision.heads, vision.head_dim, name), f"{name}.o")
