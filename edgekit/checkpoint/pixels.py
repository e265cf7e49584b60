"""How a checkpoint's pictures are prepared: its image processor's settings as an :class:`ImageSpec`."""

from __future__ import annotations

import math
from typing import Any, Literal

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source, printable
from edgekit.checkpoint.spec import ImageSpec, VisionSpec
from edgekit.errors import CheckpointError

Fit = Literal["pad", "crop", "stretch"]
Channels = tuple[float, float, float]

_CLIP: tuple[Channels, Channels] = (
    (0.48145466, 0.4578275, 0.40821073),
    (0.26862954, 0.26130258, 0.27577711),
)
_SIGLIP: tuple[Channels, Channels] = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_BICUBIC = 3


def image_spec(source: Source, vision: VisionSpec, aspect: str | None) -> ImageSpec:
    """``aspect`` is ``image_aspect_ratio`` of LLaVA's own configs: "pad" goes before what the processor says."""
    processor = _processor(source)
    size = vision.image_size
    if aspect is not None and aspect not in ("pad", "square"):
        raise CheckpointError(
            f"{source.path} was trained with image_aspect_ratio {aspect[:40]!r}: one image becomes several",
            "EdgeKit prepares one square per image: 'pad' or 'square'.",
        )
    fit: Fit = "pad" if aspect == "pad" else _fit(processor, vision)
    if (written := _written_size(processor)) not in (None, size):
        raise CheckpointError(
            f"{processor.where} prepares images of {written} pixels, but the vision tower reads {size}",
            "Compare both files with the published ones.",
        )
    _check_scaling(processor)
    mean, std = _CLIP if vision.kind == "clip" else _SIGLIP
    if not processor.flag("do_normalize", True):
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    mean, std = _channels(processor, "image_mean", mean), _channels(processor, "image_std", std)
    if not all(value > 0 for value in std):
        raise processor.error("image_std", "above zero")
    return ImageSpec(size, mean, std, fit)


def notes(source: Source) -> tuple[str, ...]:
    """What EdgeKit does otherwise than the checkpoint's own processor."""
    resample = _processor(source).values.get("resample")
    if resample in (None, _BICUBIC):
        return ()
    theirs = printable(str(resample)[:20])
    return (f"Images are resized bicubic; the checkpoint's own processor uses PIL's filter {theirs}.",)


def _check_scaling(processor: Fields) -> None:
    """Pixels are resized, and scaled to 0…1 before they are normalised; anything else is refused."""
    if not processor.flag("do_resize", True):
        raise processor.error("do_resize", "true: images have to fit the vision tower")
    factor = processor.positive("rescale_factor", 1 / 255)
    if not processor.flag("do_rescale", True):
        raise processor.error("do_rescale", "true: EdgeKit scales pixels to 0…1")
    if not math.isclose(factor, 1 / 255, rel_tol=1e-4):
        raise processor.error("rescale_factor", "1/255: EdgeKit scales pixels to 0…1")


def _processor(source: Source) -> Fields:
    """preprocessor_config.json, or the image processor's part of transformers 5's processor_config.json."""
    own = source.table("preprocessor_config.json")
    return own if own.values else source.table("processor_config.json").table("image_processor")


def _fit(processor: Fields, vision: VisionSpec) -> Fit:
    if processor.flag("do_pad", False):
        return "pad"
    if "do_center_crop" in processor or "crop_size" in processor:
        return "crop" if processor.flag("do_center_crop", True) else "stretch"
    size = processor.values.get("size")
    if isinstance(size, dict):
        return "crop" if "shortest_edge" in size else "stretch"
    return "crop" if vision.kind == "clip" else "stretch"


def _written_size(processor: Fields) -> int | None:
    """The side of the square that comes out, in the several ways that it has been written; None when unsaid."""
    cropped = processor.flag("do_center_crop", "crop_size" in processor)
    resized = _side(processor, "size")
    out = _side(processor, "crop_size") if cropped and "crop_size" in processor else resized
    if cropped and out is not None and resized is not None and resized != out:
        raise CheckpointError(
            f"{processor.where} resizes to {resized} pixels and crops {out} of them",
            "EdgeKit crops what it resized: both sizes must be the same.",
        )
    return out


def _side(processor: Fields, key: str) -> int | None:
    value: Any = processor.values.get(key)
    if isinstance(value, dict):
        sides = {value[name] for name in ("height", "width", "shortest_edge") if isinstance(value.get(name), int)}
        if len(sides) != 1:
            raise processor.error(key, "one side of a square")
        value = sides.pop()
    return None if value is None else Fields({key: value}, processor.where).count(key)


def _channels(processor: Fields, key: str, default: Channels) -> Channels:
    value = processor.values.get(key)
    if value is None:
        return default
    if not isinstance(value, list) or len(value) != 3 or not all(_plain(item) for item in value):
        raise processor.error(key, "three numbers")
    return (float(value[0]), float(value[1]), float(value[2]))


def _plain(item: Any) -> bool:
    return type(item) in (int, float) and abs(item) < 1e6
