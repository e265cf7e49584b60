"""How a checkpoint's pictures are prepared: its image processor's settings as an :class:`ImageSpec`.

The settings mean what they mean to transformers' own image processors for CLIP, SigLIP and LLaVA, on their Pillow
side: what is left unsaid is the class's default, a switch that is off keeps what stands beside it from counting. What
would give the vision tower anything but one square is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import Filter, ImageSpec, VisionSpec
from edgekit.errors import CheckpointError

Fit = Literal["pad", "crop", "stretch"]
Channels = tuple[float, float, float]

_FILTERS: tuple[Filter, ...] = get_args(Filter)
_BICUBIC = 3
_DEFAULT_CROP = 224


@dataclass(frozen=True)
class _Family:
    """What a class of image processors does unless it is told otherwise."""

    mean: Channels
    std: Channels
    crops: bool
    pads: bool = False  # to a square, before anything else; where others pad, a lone image stays as it is


_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)
_FAMILIES = {
    "CLIP": _Family(_MEAN, _STD, crops=True),
    "Llava": _Family(_MEAN, _STD, crops=True, pads=True),
    "Siglip": _Family((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), crops=False),
}


def image_spec(source: Source, vision: VisionSpec, aspect: str | None) -> ImageSpec:
    """Read how pictures are prepared; ``aspect`` is ``image_aspect_ratio`` of LLaVA's own configs:
    "pad" goes before what the processor says.
    """
    if aspect is not None and aspect not in ("pad", "square"):
        raise CheckpointError(
            f"{source.path} was trained with image_aspect_ratio {aspect[:40]!r}: one image becomes several",
            "EdgeKit prepares one square per image: 'pad' or 'square'.",
        )
    processor = _processor(source)
    family = _family(processor, vision)
    fit, resized = _geometry(processor, family, vision.image_size, aspect == "pad" or _pads(processor, family))
    mean, std, fill = _normalization(processor, family, fit)
    _switch(
        processor, "do_convert_rgb", True
    )  # every picture comes in as RGB: without, the original takes no other either
    return ImageSpec(
        size=vision.image_size,
        mean=mean,
        std=std,
        fit=fit,
        scale=_scale(processor),
        filter=_filter(processor),
        resized=resized,
        fill=fill,
    )


def _processor(source: Source) -> Fields:
    """The image processor's part of transformers 5's processor_config.json, else preprocessor_config.json."""
    nested = source.table("processor_config.json").table("image_processor")
    return nested if nested.values else source.table("preprocessor_config.json")


def _family(processor: Fields, vision: VisionSpec) -> _Family:
    key = "image_processor_type" if "image_processor_type" in processor else "feature_extractor_type"
    if key not in processor:
        by_tower = "CLIP" if vision.kind == "clip" else "Siglip"
        return _FAMILIES["Llava" if _switch(processor, "do_pad", False) else by_tower]
    name = processor.text(key).removesuffix("Fast").removesuffix("Pil")
    family = _FAMILIES.get(name.removesuffix("ImageProcessor").removesuffix("FeatureExtractor"))
    if family is None:
        raise processor.error(key, "CLIP's, SigLIP's or LLaVA's: others prepare images in ways of their own")
    return family


def _pads(processor: Fields, family: _Family) -> bool:
    """Whether images grow to a square first. Where others pad, they pad what is a square of the right size by then."""
    pads = _switch(processor, "do_pad", False)
    if pads and not family.pads and "pad_size" in processor:
        raise processor.error("pad_size", "absent: EdgeKit pads as LLaVA does, to the square of the longer edge")
    return pads and family.pads


def _geometry(processor: Fields, family: _Family, size: int, padded: bool) -> tuple[Fit, int | None]:
    """How an image becomes a square of ``size``, and to how many pixels it is resized where these are more."""
    if not _switch(processor, "do_resize", True):
        raise processor.error("do_resize", "true: images have to fit the vision tower")
    if _switch(processor, "use_square_size", False):
        raise processor.error("use_square_size", "false: EdgeKit goes by 'size'")
    crops = _switch(processor, "do_center_crop", family.crops)
    edge, shortest = _edge(processor, family)
    out = edge
    if crops:
        out = _square(processor, "crop_size", processor.values.get("crop_size"))
        out = out or (_DEFAULT_CROP if edge not in (None, size) else None)
    if out not in (None, size):
        raise CheckpointError(
            f"{processor.origin} prepares images of {out} pixels, but the vision tower reads {size}",
            "Compare both files with the published ones.",
        )
    if edge is not None and edge < size:
        raise CheckpointError(
            f"{processor.origin} resizes to {edge} pixels and crops {size} of them",
            "EdgeKit crops no more than there is: compare the file with the published one.",
        )
    if shortest and not crops and not padded:
        raise processor.error("do_center_crop", "true: with one edge resized, images come out oblong")
    fit: Fit = "pad" if padded else "crop" if shortest else "stretch"
    return fit, None if edge == size else edge


def _edge(processor: Fields, family: _Family) -> tuple[int | None, bool]:
    """To how many pixels edges are resized (None: unsaid), and whether that is the shorter edge alone."""
    value: Any = processor.values.get("size")
    if isinstance(value, dict) and (sides := _sides(value)).keys() == {"shortest_edge"}:
        return Fields(sides, processor.origin).count("shortest_edge"), True
    shortest = family.crops  # by default, CLIP crops what SigLIP stretches
    if value is not None:
        shortest = isinstance(value, int) and not _switch(processor, "default_to_square", False)
    return _square(processor, "size", value), shortest


def _square(processor: Fields, key: str, value: Any) -> int | None:
    """The side of a square, in the several ways that it has been written; None when unsaid."""
    if isinstance(value, dict):
        sides = _sides(value)
        value = list(sides.values()) if sides.keys() == {"height", "width"} else []
    if isinstance(value, list):
        if len(value) != 2 or value[0] != value[1]:
            raise processor.error(key, "one side of a square")
        value = value[0]
    return None if value is None else Fields({key: value}, processor.origin).count(key)


def _sides(size: dict[str, Any]) -> dict[str, Any]:
    return {name: side for name, side in size.items() if side is not None}


def _switch(processor: Fields, key: str, default: bool) -> bool:
    """A switch that says null is off: only where it is left out does the class's default hold."""
    return processor.flag(key, default and key not in processor.values)


def _scale(processor: Fields) -> float:
    """What a pixel of 0…255 is multiplied by before it is normalised."""
    factor = processor.positive("rescale_factor", 1 / 255)
    return factor if _switch(processor, "do_rescale", True) else 1.0


def _filter(processor: Fields) -> Filter:
    number = processor.integer("resample", _BICUBIC)
    if not 0 <= number < len(_FILTERS):
        raise processor.error("resample", f"one of Pillow's filters, 0 to {len(_FILTERS) - 1}")
    return _FILTERS[number]


def _normalization(
    processor: Fields, family: _Family, fit: Fit
) -> tuple[Channels, Channels, tuple[int, int, int] | None]:
    """Mean, deviation and, where the mean does not say it, the colour of the padding.

    LLaVA pads with ``image_mean`` in 255ths, whether pixels are normalised by it or not.
    """
    mean = _channels(processor, "image_mean", family.mean)
    red, green, blue = (int(value * 255) for value in mean)
    if fit == "pad" and not all(0 <= shade <= 255 for shade in (red, green, blue)):
        raise processor.error("image_mean", "between 0 and 1, as the colour that images are padded with")
    if not _switch(processor, "do_normalize", True):
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (red, green, blue) if fit == "pad" else None
    std = _channels(processor, "image_std", family.std)
    if not all(value > 0 for value in std):
        raise processor.error("image_std", "above zero")
    return mean, std, None


def _channels(processor: Fields, key: str, default: Channels) -> Channels:
    value = processor.values.get(key)
    if value is None:
        return default
    values = value if isinstance(value, list) else [value] * 3
    if len(values) != 3 or not all(_plain(item) for item in values):
        raise processor.error(key, "three numbers")
    return (float(values[0]), float(values[1]), float(values[2]))


def _plain(number: Any) -> bool:
    return type(number) in (int, float) and abs(number) < 1e6
