"""Preprocessing, and the settings that lie beside a checkpoint, against the processors that the families use."""

from __future__ import annotations

import json
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from edgekit import config
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.pixels import image_spec
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import ImageSpec, VisionSpec
from edgekit.inputs.preprocess import preprocess

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALF = (0.5, 0.5, 0.5)
SIZES = [
    (1, 1),
    (1, 37),
    (2, 100),
    (33, 1),
    (61, 3),
    (64, 64),
    (64, 49),
    (71, 90),
    (90, 71),
    (333, 205),
    (640, 1201),
    (1999, 40),
]


def noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(width * 10_000 + height)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def oracle(image: Image.Image, spec: ImageSpec) -> npt.NDArray[np.float32]:
    square = {"height": spec.size, "width": spec.size}
    cut = {"size": {"shortest_edge": spec.size}, "crop_size": square}
    choices: dict[str, tuple[Any, dict[str, Any]]] = {
        "pad": (LlavaImageProcessorPil, {"do_pad": True, **cut}),
        "crop": (CLIPImageProcessorPil, cut),
        "stretch": (SiglipImageProcessorPil, {"size": square, "resample": Image.Resampling.BICUBIC}),
    }
    make, options = choices[spec.fit]
    processor = make(image_mean=list(spec.mean), image_std=list(spec.std), **options)
    pixels: npt.NDArray[np.float32] = processor(
        np.asarray(image), input_data_format="channels_last", return_tensors="np"
    )["pixel_values"][0]
    return pixels


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "spec",
    [
        ImageSpec(size=56, mean=CLIP_MEAN, std=CLIP_STD, fit="pad"),
        ImageSpec(size=84, mean=HALF, std=HALF, fit="pad"),
        ImageSpec(size=56, mean=CLIP_MEAN, std=CLIP_STD, fit="crop"),
        ImageSpec(size=37, mean=HALF, std=HALF, fit="stretch"),
    ],
    ids=lambda spec: f"{spec.fit}{spec.size}",
)
def test_equals_the_familys_own_processor(spec: ImageSpec, size: tuple[int, int]) -> None:
    image = noise(*size)
    pixels = preprocess(image, spec)
    assert pixels.shape == (3, spec.size, spec.size)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, oracle(image, spec), rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 16_384), (16_384, 1)])
@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_long_thin_pictures_take_little_memory(fit: str, size: tuple[int, int]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    image = Image.new("RGB", size, (250, 250, 250))
    pixels = preprocess(image, ImageSpec(size=56, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), fit=fit))  # type: ignore[arg-type]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 128 * 1024  # KiB; a square takes 0.8 GiB
    if fit != "pad":
        np.testing.assert_allclose(pixels, 250 / 255, atol=1e-6)


CLASSES = {"CLIP": CLIPImageProcessorPil, "Siglip": SiglipImageProcessorPil, "Llava": LlavaImageProcessorPil}
CLIP = VisionSpec(
    kind="clip",
    hidden=72,
    layers=2,
    heads=3,
    ff=100,
    image_size=56,
    patch=14,
    activation="quick_gelu",
    norm_eps=1e-5,
    drop_cls=True,
)
TOWERS = {"CLIP": CLIP, "Llava": CLIP, "Siglip": replace(CLIP, kind="siglip", drop_cls=False)}
EDGE, SQUARE, LARGER = {"shortest_edge": 56}, {"height": 56, "width": 56}, {"shortest_edge": 64}
MEAN, STD = [0.1, 0.5, 0.8], [0.2, 0.3, 0.4]
CUT = {"size": EDGE, "crop_size": SQUARE}
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "not normalised": ("CLIP", {**CUT, "do_normalize": False, "image_mean": MEAN, "image_std": STD}),
    "not normalised, padded": ("Llava", {**CUT, "do_pad": True, "do_normalize": False, "image_mean": MEAN}),
    "not normalised, a deviation of zero": ("Siglip", {"size": SQUARE, "do_normalize": False, "image_std": [0, 0, 0]}),
    "not rescaled": ("CLIP", {**CUT, "do_rescale": False, "rescale_factor": 0.5, "image_mean": [90, 110, 120.5]}),
    "not rescaled, not normalised": ("Siglip", {"size": SQUARE, "do_rescale": False, "do_normalize": False}),
    "rescaled to -1…1": ("Siglip", {"size": SQUARE, "rescale_factor": 1 / 127.5, "image_mean": 1.0, "image_std": 1.0}),
    "not cropped, a crop beside it": ("CLIP", {"size": SQUARE, "do_center_crop": False, "crop_size": 224}),
    "CLIP's classic": ("CLIP", {"size": LARGER, "crop_size": SQUARE}),
    "CLIP's classic in whole numbers": ("CLIP", {"size": 64, "crop_size": 56, "do_center_crop": True}),
    "both edges resized, then cropped": ("CLIP", {"size": [64, 64], "crop_size": {"height": 56, "width": 56}}),
    "a whole number to the square": ("CLIP", {"size": 56, "crop_size": 56, "default_to_square": True}),
    "SigLIP's whole number": ("Siglip", {"size": 56, "do_center_crop": True, "crop_size": 56}),
    "SigLIP's whole number, to the square": ("Siglip", {"size": 56, "default_to_square": True}),
    "SigLIP's shorter edge": ("Siglip", {"size": LARGER, "crop_size": SQUARE, "do_center_crop": True}),
    "SigLIP, a crop that is off": ("Siglip", {"size": SQUARE, "crop_size": {"height": 40, "width": 40}}),
    "LLaVA's padding": ("Llava", {**CUT, "do_pad": True, "image_mean": MEAN, "image_std": STD}),
    "LLaVA's padding, resized and cropped": ("Llava", {"size": LARGER, "crop_size": SQUARE, "do_pad": True}),
    "LLaVA's padding, not cropped": ("Llava", {"size": EDGE, "do_center_crop": False, "do_pad": True}),
    "LLaVA, not padded": ("Llava", {**CUT, "do_pad": False}),
    "CLIP, which pads what is square by then": ("CLIP", {**CUT, "do_pad": True}),
    "nulls": ("CLIP", {**CUT, "do_normalize": None, "do_pad": None, "pad_size": None, "do_convert_rgb": None}),
    "no crop by null": ("CLIP", {"size": SQUARE, "do_center_crop": None, "crop_size": None}),
    "colours of its own": ("CLIP", {**CUT, "do_convert_rgb": False}),
    **{f"filter {number}": ("CLIP", {"size": LARGER, "crop_size": SQUARE, "resample": number}) for number in range(6)},
    **{f"filter {number}, padded": ("Llava", {**CUT, "do_pad": True, "resample": number}) for number in range(6)},
    **{f"filter {number}, stretched": ("Siglip", {"size": SQUARE, "resample": number}) for number in range(6)},
}  # fmt: skip


def source(folder: Path, settings: dict[str, Any], file: str = "preprocessor_config.json") -> Source:
    (folder / file).write_text(json.dumps(settings))
    return Source(folder, Fields({}, "config.json"), {})


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_mean_what_they_mean_to_transformers(name: str, tmp_path: Path) -> None:
    family, settings = SETTINGS[name]
    processor = CLASSES[family](**settings)
    processor.save_pretrained(tmp_path)
    written = {**settings, "image_processor_type": f"{family}ImageProcessor"}
    for place, spec in {
        "as written": image_spec(source(tmp_path, written), TOWERS[family], None),
        "as saved": image_spec(_saved(processor, tmp_path), TOWERS[family], None),
    }.items():
        for size in [(64, 64), (90, 71), (40, 130), (333, 57)]:
            image = noise(*size)
            theirs = processor(image, return_tensors="np")["pixel_values"][0]
            np.testing.assert_allclose(preprocess(image, spec), theirs, rtol=1e-6, atol=1e-6, err_msg=place)


def _saved(processor: Any, folder: Path) -> Source:
    processor.save_pretrained(folder)
    return Source(folder, Fields({}, "config.json"), {})


@pytest.mark.parametrize("suffix", ["ImageProcessor", "ImageProcessorFast", "ImageProcessorPil", "FeatureExtractor"])
def test_a_class_is_known_by_each_of_its_names(suffix: str, tmp_path: Path) -> None:
    key = "feature_extractor_type" if suffix == "FeatureExtractor" else "image_processor_type"
    spec = image_spec(source(tmp_path, {key: f"Siglip{suffix}", "size": SQUARE}), CLIP, None)
    assert (spec.fit, spec.mean) == ("stretch", (0.5, 0.5, 0.5))


def test_the_processors_own_config_goes_before_the_older_file(tmp_path: Path) -> None:
    """As in transformers 5's ``get_image_processor_dict``."""
    processor = {"image_processor": {"image_processor_type": "CLIPImageProcessor", **CUT, "image_mean": MEAN}}
    source(tmp_path, processor, "processor_config.json")
    assert image_spec(source(tmp_path, {"do_normalize": False}), CLIP, None).mean == tuple(MEAN)


def test_llavas_own_padding_is_followed_by_the_processor(tmp_path: Path) -> None:
    """``expand2square`` of LLaVA's ``mm_utils``, then CLIP's processor: filled with the mean, normalised or not."""
    settings = {"size": LARGER, "crop_size": SQUARE, "do_normalize": False, "image_mean": MEAN, "resample": 1}
    spec = image_spec(source(tmp_path, settings), CLIP, "pad")
    image = noise(90, 30)
    square = Image.new("RGB", (90, 90), tuple(int(mean * 255) for mean in MEAN))
    square.paste(image, (0, 30))
    theirs = CLIPImageProcessorPil(**settings)(square, return_tensors="np")["pixel_values"][0]
    np.testing.assert_allclose(preprocess(image, spec), theirs, rtol=1e-6, atol=1e-6)


def test_a_manifest_from_before_opens_and_means_what_it_meant() -> None:
    before = {"size": 56, "mean": MEAN, "std": STD, "fit": "crop"}
    spec = config.load(ImageSpec, before, "manifest.json")
    said = {"size": 56, "mean": tuple(MEAN), "std": tuple(STD), "fit": "crop"}
    assert vars(spec) == {**said, "scale": 1 / 255, "filter": "bicubic", "resized": None, "fill": None}
    full = replace(spec, scale=1.0, filter="lanczos", resized=64, fill=(1, 2, 3))
    assert config.load(ImageSpec, json.loads(json.dumps(config.dump(full))), "manifest.json") == full
