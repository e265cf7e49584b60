"""A small model's description, and manifests of it: for tests that need one and don't care which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from edgekit.bundle import FORMAT, MANIFEST, Bundle, Manifest, open_bundle
from edgekit.checkpoint.spec import (
    DecoderSpec,
    ImageSpec,
    ModelSpec,
    ProjectorSpec,
    RopeSpec,
    TemplateSpec,
    VisionSpec,
)
from edgekit.config.writing import write_json
from edgekit.recipe import recipe
from edgekit.target import target

SMALL = ModelSpec(
    family="test",
    vision=VisionSpec(
        kind="clip",
        hidden=72,
        layers=1,
        heads=3,
        ff=100,
        image_size=28,
        patch=7,
        activation="quick_gelu",
        norm_eps=1e-5,
        drop_cls=True,
    ),
    projector=ProjectorSpec((72, 96)),
    decoder=DecoderSpec(
        kind="llama",
        hidden=96,
        layers=1,
        heads=2,
        kv_heads=2,
        head_dim=48,
        ff=200,
        vocab=320,
        context=512,
        norm="rms",
        norm_eps=1e-5,
        activation="silu",
        gated=True,
        rope=RopeSpec(theta=10000.0, dim=48),
        tied=True,
    ),
    image=ImageSpec(size=28, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), fit="pad"),
    template=TemplateSpec(name="plain", system="", user="{}", opening="", reply="{}"),
    bos_id=1,
    stop_ids=(2,),
)


def manifest(**changed: Any) -> Manifest:
    """The manifest of a bundle for any processor by q4, before its files are known."""
    plain = Manifest(
        format=FORMAT,
        edgekit="0",
        source="toy",
        spec=SMALL,
        recipe=recipe("q4"),
        target=target("cpu"),
        context=160,
        forced=(),
        files={},
    )
    return replace(plain, **changed)


def manifest_alone(folder: Path, **changed: Any) -> Bundle:
    """A new folder with a bundle of nothing but its manifest, opened."""
    folder.mkdir()
    write_json(folder / MANIFEST, manifest(**changed))
    return open_bundle(folder)
