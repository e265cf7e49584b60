"""The CUDA provider against the CPU's, on a machine that has any NVIDIA GPU and the extra ``gpu``.

Logits of fp16 activations may differ by 2e-2 of their largest from those of fp32: what the fp16 graphs keep to on the
CPU provider. Moving and copying rows on the device must change nothing at all. A device needs the embedded model alone;
a second one, of widths that no kernel likes, is made where the oracles are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.blocks import BlockModel
from edgekit.bundle import open_bundle
from edgekit.checkpoint.open import open_checkpoint
from edgekit.engines.base import Engine
from edgekit.engines.open import open_engine
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.recipe import recipe
from edgekit.target import target
from tests.accelerator import target_here
from tests.checkpoints import write_checkpoint

pytestmark = [pytest.mark.device, pytest.mark.usefixtures("cuda_provider"), pytest.mark.filterwarnings("default")]

TOKENS = [int(token) for token in np.random.default_rng(0).integers(5, 200, 60)]


@pytest.fixture(scope="module", params=["embedded", "odd"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "embedded":
        return embedded()
    for oracle in ("torch", "transformers", "safetensors"):
        pytest.importorskip(
            oracle, reason=f"{oracle} is not installed, which makes the odd model", exc_type=ImportError
        )
    return write_checkpoint(tmp_path_factory.mktemp("odd") / "checkpoint", "hf", "llama", "clip").path


@pytest.fixture(scope="module")
def engines(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    folder = tmp_path_factory.mktemp("cuda")
    cpu = replace(target("cpu"), context=200, slots=4)
    cuda = target_here("onnxruntime-cuda", context=200, slots=4)
    opened: dict[str, Engine] = {}
    for name, wanted in {"cpu": cpu, "cuda": cuda}.items():
        bundle = build(model, wanted, recipe("q4"), folder / name).bundle
        opened[name] = open_engine(open_bundle(bundle.path), slots=4)
    yield opened
    for engine in opened.values():
        engine.close()


def read(engine: Engine, slot: int, tokens: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    row: np.ndarray[tuple[int], np.dtype[np.float32]] = engine.prefill(slot, engine.embed(tokens), 0)
    return row


def test_logits_and_image_embeddings_are_near_the_cpus(engines: dict[str, Engine], model: Path) -> None:
    cpu, gpu = engines["cpu"], engines["cuda"]
    expected = read(cpu, 0, TOKENS)
    np.testing.assert_allclose(read(gpu, 0, TOKENS), expected, atol=2e-2 * np.abs(expected).max())
    size = open_checkpoint(model).spec.vision.image_size
    pixels = np.random.default_rng(1).normal(size=(1, 3, size, size)).astype(np.float32)
    near = cpu.encode(pixels)
    np.testing.assert_allclose(gpu.encode(pixels).astype(np.float32), near, atol=5e-2 * np.abs(near).max())


def test_rows_that_are_moved_and_copied_on_the_device_stay_what_they_were(engines: dict[str, Engine]) -> None:
    gpu = engines["cuda"]
    read(gpu, 0, TOKENS)
    alone = gpu.decode([7], [0])[0]
    for slot in range(3):
        read(gpu, slot, TOKENS[slot:])
    gpu.copy(0, 3, len(TOKENS))
    np.testing.assert_array_equal(gpu.decode([7], [3])[0], alone)
    np.testing.assert_array_equal(gpu.decode([7], [0])[0], alone)


def test_blocks_that_calibrate_are_the_cpus(model: Path) -> None:
    """In float32 without TF32: what a model is calibrated by does not depend on where it ran."""
    checkpoint = open_checkpoint(model)
    rows = np.random.default_rng(2).normal(size=(1, 40, checkpoint.spec.decoder.hidden)).astype(np.float32)
    found = {}
    for provider in ("cpu", "cuda"):
        block = BlockModel(checkpoint, provider).layer(0)
        found[provider] = block.with_taps(rows)[1] | {"out": block(rows)}
    for name, expected in found["cpu"].items():
        np.testing.assert_allclose(found["cuda"][name], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
