"""Preprocessing against the image processors that the families themselves use."""

from __future__ import annotations

import resource
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from edgekit.checkpoint.spec import ImageSpec
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
