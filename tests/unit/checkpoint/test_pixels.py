"""Image processors' settings, in every form that they have been written in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.pixels import image_spec
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import ImageSpec, VisionSpec
from edgekit.errors import CheckpointError
from tests.checkpoints import CLIP_MEAN, CLIP_STD

CLIP = VisionSpec(
    kind="clip",
    hidden=72,
    layers=2,
    heads=3,
    ff=100,
    image_size=336,
    patch=14,
    activation="quick_gelu",
    norm_eps=1e-5,
    drop_cls=True,
)
SIGLIP = replace(CLIP, kind="siglip", image_size=384, drop_cls=False)
SQUARE = {"height": 336, "width": 336}
EDGE = {"shortest_edge": 336}


def source(folder: Path, processor: Any = None, file: str = "preprocessor_config.json") -> Source:
    if processor is not None:
        (folder / file).write_text(json.dumps(processor))
    return Source(folder, Fields({}, "config.json"), {})


@pytest.mark.parametrize(
    ("processor", "fit"),
    [
        (None, "crop"),
        ({}, "crop"),
        ({"size": 336, "crop_size": 336, "do_center_crop": True}, "crop"),
        ({"size": EDGE, "crop_size": SQUARE, "do_center_crop": True}, "crop"),
        ({"size": EDGE, "crop_size": SQUARE}, "crop"),
        ({"size": EDGE}, "crop"),
        ({"size": SQUARE}, "stretch"),
        ({"size": SQUARE, "do_center_crop": False, "crop_size": 224}, "stretch"),
        ({"size": EDGE, "crop_size": SQUARE, "do_center_crop": True, "do_pad": True}, "pad"),
    ],
)
def test_clips_forms(tmp_path: Path, processor: Any, fit: str) -> None:
    spec = image_spec(source(tmp_path, processor), CLIP, None)
    assert (spec.size, spec.fit) == (336, fit)
    assert (list(spec.mean), list(spec.std)) == (CLIP_MEAN, CLIP_STD)


@pytest.mark.parametrize("processor", [None, {"size": {"height": 384, "width": 384}}, {"do_pad": False}])
def test_siglips_defaults(tmp_path: Path, processor: Any) -> None:
    spec = image_spec(source(tmp_path, processor), SIGLIP, None)
    assert (spec.size, spec.fit, spec.mean, spec.std) == (384, "stretch", (0.5,) * 3, (0.5,) * 3)


def test_a_published_processor_says_what_transformers_does(tmp_path: Path) -> None:
    from transformers import CLIPImageProcessorPil

    CLIPImageProcessorPil(size=EDGE, crop_size=SQUARE, image_mean=[0.1, 0.2, 0.3]).save_pretrained(tmp_path)
    spec = image_spec(source(tmp_path), CLIP, None)
    assert spec.fit == "crop"
    assert spec.mean == (0.1, 0.2, 0.3)


def test_transformers_5_keeps_it_in_the_processors_config(tmp_path: Path) -> None:
    processor = {"image_processor": {"size": SQUARE, "image_mean": [0.1, 0.2, 0.3], "image_std": [1, 1, 1]}}
    spec = image_spec(source(tmp_path, processor, "processor_config.json"), CLIP, None)
    assert (spec.fit, spec.mean, spec.std) == ("stretch", (0.1, 0.2, 0.3), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(("aspect", "fit"), [("pad", "pad"), ("square", "crop"), (None, "crop")])
def test_llavas_aspect_ratio_goes_first(tmp_path: Path, aspect: str | None, fit: str) -> None:
    processor = {"size": EDGE, "crop_size": SQUARE, "do_center_crop": True}
    assert image_spec(source(tmp_path, processor), CLIP, aspect).fit == fit


def test_pixels_that_are_not_normalised_stay_as_they_are(tmp_path: Path) -> None:
    spec = image_spec(source(tmp_path, {"do_normalize": False}), CLIP, None)
    assert (spec.mean, spec.std) == ((0.0,) * 3, (1.0,) * 3)


def test_the_usual_scaling_is_taken_as_said(tmp_path: Path) -> None:
    usual = {"do_resize": True, "do_rescale": True, "rescale_factor": 0.00392156862745098}
    assert image_spec(source(tmp_path, usual), CLIP, None) == image_spec(source(tmp_path, {}), CLIP, None)


def test_what_the_usual_processors_say_is_written_as_it_always_was(tmp_path: Path) -> None:
    spec = image_spec(source(tmp_path, {"size": EDGE, "crop_size": SQUARE, "do_pad": True}), CLIP, None)
    assert spec == ImageSpec(
        size=336, mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711), fit="pad"
    )


@pytest.mark.parametrize(
    ("processor", "message"),
    [
        ({"size": 224}, "224 pixels, but the vision tower reads 336"),
        ({"size": {"shortest_edge": 224}, "crop_size": SQUARE}, "resizes to 224 pixels and crops 336"),
        ({"size": {"shortest_edge": 384}}, "224 pixels, but the vision tower reads 336"),  # CLIP's own default
        ({"size": EDGE, "do_center_crop": False}, "do_center_crop"),
        ({"image_processor_type": "SiglipImageProcessor", "size": 336}, "do_center_crop"),
        ({"size": {"longest_edge": 336}}, "one side of a square"),
        ({"size": {"shortest_edge": 336, "longest_edge": 400}}, "one side of a square"),
        ({"size": [336, 224]}, "one side of a square"),
        ({"size": SQUARE, "crop_size": EDGE}, "one side of a square"),
        ({"image_processor_type": "LlavaNextImageProcessor"}, "LLaVA's: others prepare images in ways of their own"),
        ({"image_processor_type": "CLIPImageProcessor", "do_pad": True, "pad_size": 512}, "pad_size"),
        ({"use_square_size": True}, "use_square_size"),
        ({"resample": 6}, "resample"),
        ({"resample": "\ud800"}, "resample"),
        ({"do_pad": True, "do_normalize": False, "image_mean": [128, 128, 128]}, "image_mean"),
        ({"size": {"height": 336, "width": 224}}, "one side of a square"),
        ({"size": {}}, "one side of a square"),
        ({"size": -1}, "positive"),
        ({"image_mean": [0.5, 0.5]}, "three numbers"),
        ({"image_std": [0.5, 0.0, 0.5]}, "above zero"),
        ({"image_mean": [0.5, True, 0.5]}, "three numbers"),
        ({"do_resize": False}, "do_resize"),
        ({"do_rescale": "no"}, "do_rescale"),
        ({"rescale_factor": 0}, "rescale_factor"),
        ({"do_convert_rgb": 1}, "do_convert_rgb"),
        ({"image_processor": 3, "do_pad": "yes"}, "true or false"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, processor: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        image_spec(source(tmp_path, processor), CLIP, None)


def test_models_that_cut_an_image_up_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="anyres"):
        image_spec(source(tmp_path), CLIP, "anyres")
