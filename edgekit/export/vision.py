"""A CLIP or SigLIP vision tower: pixels to the features of the selected layer."""

from __future__ import annotations

from edgekit.checkpoint.spec import VisionSpec
from edgekit.export.spelling import Spelling


def build_vision(say: Spelling, vision: VisionSpec) -> None:
    """``pixels`` ``[images, 3, size, size]`` → ``features`` ``[images, tokens, hidden]``."""
    pixels = say.input("pixels", ["images", 3, vision.image_size, vision.image_size])
    x = _embed(say, pixels, vision)
    normed = say.norm(x, "vision.layers.0.norm1", "layer", vision.norm_eps) if vision.layers else x
    for index in range(vision.layers):
        name = f"vision.layers.{index}"
        attended = _attention(say, normed, f"{name}.attn", vision)
        normed, x = say.add_norm(attended, x, f"{name}.norm2", "layer", vision.norm_eps)
        y = say.activate(say.linear(normed, f"{name}.mlp.up"), vision.activation, f"{name}.mlp.act")
        y = say.linear(y, f"{name}.mlp.down")
        if index + 1 < vision.layers:
            normed, x = say.add_norm(y, x, f"vision.layers.{index + 1}.norm1", "layer", vision.norm_eps)
        else:
            x = say.add(y, x, f"{name}.residual")
    if vision.post_norm:
        x = say.norm(x, "vision.post_norm", "layer", vision.norm_eps)
    if vision.drop_cls:
        x = say.drop_first(x, "vision.patches")
    say.output(x, "features", ["images", vision.tokens, vision.hidden])


def _embed(say: Spelling, pixels: str, vision: VisionSpec) -> str:
    x = say.patches(pixels, "vision.patch", vision.hidden, vision.patch)
    if vision.has_cls:
        x = say.prepend(x, "vision.cls", vision.hidden)
    x = say.add(x, say.parameter("vision.position.weight"), "vision.position")
    return say.norm(x, "vision.pre_norm", "layer", vision.norm_eps) if vision.kind == "clip" else x


def _attention(say: Spelling, x: str, name: str, vision: VisionSpec) -> str:
    qkv = say.linear(x, f"{name}.qkv", [f"{name}.{part}" for part in "qkv"])
    return say.linear(say.self_attention(qkv, vision.heads, vision.head_dim, name), f"{name}.o")
