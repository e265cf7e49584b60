"""Every family's graphs against transformers' own model on the same weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from tokenizers import Tokenizer

from edgekit.bundle import Bundle
from edgekit.checkpoint.checkpoint import Checkpoint, Weight
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import Array, PackedTensor
from edgekit.engines.onnxruntime.engine import OnnxRuntimeEngine
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import ImagePiece, Piece, Prompt, Turn, build
from edgekit.pipeline import build as build_bundle
from edgekit.quantize import quantize
from edgekit.recipe import Precision, Recipe
from edgekit.runtime.embeddings import Embeddings
from edgekit.target import target
from tests.checkpoints import IMAGE, DecoderKind, Layout, Tiny, TowerKind, write_checkpoint
from tests.unit.export.running import Exported, cut, exported, in_float32_activations

pytestmark = pytest.mark.parity

FAMILIES: list[tuple[Layout, DecoderKind, TowerKind, dict[str, Any]]] = [
    ("hf", "llama", "clip", {}),
    ("hf", "phi", "siglip", {}),
    ("hf-4.52", "mistral", "siglip", {}),
    ("hf-5", "llama", "clip", {"text": {"tie_word_embeddings": True}}),
    ("llava", "llama", "clip", {"projector": "linear"}),
    ("llava", "mistral", "clip", {"text": {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}}),
    ("tinyllava", "llama", "siglip", {"projector": "mlp3x_gelu"}),
    ("tinyllava", "phi", "siglip", {}),
    ("factory", "phi", "siglip", {"dtype": "bfloat16"}),
    ("factory", "llama", "siglip", {"dtype": "float16"}),
]
LINEAR_ROPE = {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}}
LLAMA3_ROPE = {
    "rope_parameters": {
        "rope_type": "llama3",
        "rope_theta": 500.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32,
    }
}


def normal(*shape: int, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def in_precision(checkpoint: Checkpoint, precision: Precision) -> Checkpoint:
    embedding: Precision = "int8" if precision == "int4" else precision
    recipe = Recipe(
        name="test",
        title="Test",
        vision=precision,
        projector=precision,
        embedding=embedding,
        decoder=precision,
        lm_head=precision,
        group=32,
    )
    return quantize(checkpoint, recipe)


@dataclass(frozen=True)
class Dequantized:
    """A packed matrix as the plain float32 one that it stands for."""

    packed: PackedTensor
    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.packed.shape

    def rows(self, start: int, stop: int) -> Array:
        return self.packed.packed_rows(start, stop).dequantize()

    def release(self, start: int, stop: int) -> None:
        pass


def dequantized(checkpoint: Checkpoint) -> Checkpoint:
    def plain(weight: Weight) -> Weight:
        return weight if not hasattr(weight, "packed_rows") else Dequantized(weight)  # type: ignore[arg-type]

    return replace(checkpoint, tensors={name: plain(weight) for name, weight in checkpoint.tensors.items()})


def greedy(graphs: Exported, tiny: Tiny, prompt: Array, steps: int) -> list[int]:
    table = tiny.model.get_input_embeddings().weight.detach().numpy()
    decoder, tokens = graphs.decoder(), []
    logits = decoder(prompt[None])
    for _ in range(steps):
        tokens.append(int(logits[0].argmax()))
        logits = decoder(table[tokens[-1]][None, None])
    return tokens


def oracle_greedy(tiny: Tiny, prompt: Array, steps: int) -> list[int]:
    table = tiny.model.get_input_embeddings().weight.detach().numpy()
    tokens: list[int] = []
    for _ in range(steps):
        tokens.append(int(tiny.logits(prompt[None])[0, -1].argmax()))
        prompt = np.concatenate([prompt, table[tokens[-1]][None]])
    return tokens


SAID_OTHERWISE: dict[str, Any] = {"config": {"tie_word_embeddings": True, "vision_feature_layer": [-2]}}
"""config.json ties the head, but a head of its own is stored; and it spells the selected layer as a list."""


@pytest.mark.parametrize(
    ("layout", "decoder", "tower", "options"), [*FAMILIES, ("hf-5", "mistral", "siglip", SAID_OTHERWISE)]
)
def test_fp32_graphs_are_the_model(
    layout: Layout, decoder: DecoderKind, tower: TowerKind, options: dict[str, Any], tmp_path: Path
) -> None:
    tiny = write_checkpoint(tmp_path / "checkpoint", layout, decoder, tower, **options)
    graphs = exported(in_precision(open_checkpoint(tiny.path), "fp32"), tmp_path)
    pixels = normal(2, 3, 28, 28)
    images = graphs.features(pixels)
    np.testing.assert_allclose(images, tiny.image_features(pixels), atol=1e-4)

    table = tiny.model.get_input_embeddings().weight.detach().numpy()
    prompt = np.concatenate([table[[1, 17, 42]], images[0], table[[99, 7]]])
    expected = tiny.logits(prompt[None])[0]
    lengths = [1, 7, 1, 1, len(prompt) - 10]
    got = graphs.decoder().read(cut(prompt, lengths))
    np.testing.assert_allclose(got, expected[np.cumsum(lengths) - 1], atol=1e-4)
    np.testing.assert_allclose(graphs.decoder().read([prompt]), expected[-1:], atol=1e-4)
    assert greedy(graphs, tiny, prompt, 32) == oracle_greedy(tiny, prompt, 32)


ASKED: list[tuple[Layout, DecoderKind, TowerKind]] = [
    ("hf", "llama", "clip"),
    ("llava", "mistral", "clip"),
    ("tinyllava", "phi", "siglip"),
    ("factory", "llama", "siglip"),
]


def generated(tiny: Tiny, prompt: Prompt, steps: int) -> list[int]:
    """What transformers' own ``generate`` makes of a prompt: ids with its image token at every row of an image."""
    import torch

    def ids(piece: Piece) -> tuple[int, ...]:
        return (IMAGE,) * len(piece) if isinstance(piece, ImagePiece) else piece.ids

    asked = torch.tensor([[token for piece in prompt.pieces for token in ids(piece)]])
    pixels = torch.as_tensor(np.stack([image.pixels() for image in prompt.images]))
    found = tiny.model.generate(
        input_ids=asked,
        attention_mask=torch.ones_like(asked),
        pixel_values=pixels,
        do_sample=False,
        # Past any end: an answer of one token would compare little.
        min_new_tokens=steps,
        max_new_tokens=steps,
    )
    tokens: list[int] = found[0, asked.shape[1] :].tolist()
    return tokens


def answered(bundle: Bundle, prompt: Prompt, steps: int) -> list[int]:
    """Greedy tokens of the engine, end tokens passed over as ``generate`` does."""
    engine = OnnxRuntimeEngine(bundle, bundle.path / "graphs", slots=1)
    embeddings, tokens = Embeddings(engine), list[int]()
    assert len(prompt) > 1
    for start in range(0, len(prompt), engine.chunk):
        stop = min(start + engine.chunk, len(prompt))
        logits = engine.prefill(0, embeddings.rows(prompt, start, stop), start)
    for _ in range(steps):
        logits[list(bundle.manifest.spec.stop_ids)] = -np.inf
        tokens.append(int(logits.argmax()))
        logits = engine.decode([tokens[-1]], [0])[0].copy()
    engine.close()
    return tokens


@pytest.mark.parametrize(("layout", "decoder", "tower"), ASKED)
def test_an_answer_about_a_picture_is_the_one_transformers_generates(
    layout: Layout, decoder: DecoderKind, tower: TowerKind, tmp_path: Path
) -> None:
    tiny = write_checkpoint(tmp_path / "checkpoint", layout, decoder, tower)
    whole = Recipe(
        name="test", title="Test", vision="fp32", projector="fp32", embedding="fp32", decoder="fp32", lm_head="fp32"
    )
    built = build_bundle(tiny.path, replace(target("cpu"), context=320), whole, tmp_path / "bundle").bundle
    tokenizer = Tokenizer.from_file(str(built.file("tokenizer.json")))
    noise = np.random.default_rng(1).integers(0, 256, (2, 40, 31, 3), dtype=np.uint8)
    first, second = (Picture(Image.fromarray(pixels), str(index)) for index, pixels in enumerate(noise))
    turns = [
        Turn("what is shown?", "a lung, clear", images=(first,)),
        Turn("and is there a pleural effusion here?", images=(second,)),
    ]
    for asked in (turns[:1], turns):
        prompt = build(built.manifest.spec, tokenizer, [*asked[:-1], replace(asked[-1], answer=None)])
        assert len(prompt.images) == len(asked)
        assert answered(built, prompt, 32) == generated(tiny, prompt, 32)


@pytest.mark.parametrize("rope", [LINEAR_ROPE, LLAMA3_ROPE], ids=["linear", "llama3"])
def test_scaled_rope_reaches_the_whole_context(rope: dict[str, Any], tmp_path: Path) -> None:
    tiny = write_checkpoint(tmp_path / "checkpoint", "hf", "llama", "clip", text=rope)
    graphs = exported(in_precision(open_checkpoint(tiny.path), "fp32"), tmp_path)
    tokens = normal(64, 288)
    np.testing.assert_allclose(graphs.decoder().read([tokens]), tiny.logits(tokens[None])[0, -1:], atol=1e-4)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return write_checkpoint(tmp_path_factory.mktemp("tiny"), "hf", "llama", "clip")


@pytest.fixture(scope="module")
def checkpoint(tiny: Tiny) -> Checkpoint:
    return open_checkpoint(tiny.path)


QUANTIZED: list[tuple[Layout, DecoderKind, TowerKind]] = [
    ("hf", "llama", "clip"),
    ("hf-4.52", "mistral", "siglip"),
    ("llava", "mistral", "clip"),
    ("tinyllava", "phi", "siglip"),
    ("factory", "llama", "siglip"),
]


@pytest.mark.parametrize("precision", ["int4", "int8"])
@pytest.mark.parametrize(("layout", "decoder", "tower"), QUANTIZED)
def test_quantized_decoders_compute_with_the_dequantized_weights(
    layout: Layout, decoder: DecoderKind, tower: TowerKind, precision: Precision, tmp_path: Path
) -> None:
    tiny = write_checkpoint(tmp_path / "checkpoint", layout, decoder, tower)
    packed = in_precision(open_checkpoint(tiny.path), precision)
    graphs, reference = exported(packed, tmp_path / "packed"), exported(dequantized(packed), tmp_path / "plain")
    pieces = cut(normal(20, packed.spec.decoder.hidden), [9, 1, 10])
    expected = reference.decoder().read(pieces)
    rounded = graphs.decoder().read(pieces)
    in_float32_activations(graphs.graph("decoder"))
    exact = graphs.decoder().read(pieces)
    np.testing.assert_allclose(exact, expected, atol=1e-4)
    # int8 activations: a rounding error of up to 1/254 of a block's largest value in each of nine
    # matrices in a row, which average out to about one percent.
    assert 0 < np.linalg.norm(rounded - expected) < 0.03 * np.linalg.norm(expected)


@pytest.mark.parametrize("precision", ["int4", "int8"])
@pytest.mark.parametrize("activations", ["float32", "float16"])
@pytest.mark.parametrize(("layout", "decoder", "tower"), [QUANTIZED[0], QUANTIZED[1], QUANTIZED[-1]])
def test_quantized_towers_are_near_the_dequantized_weights(
    layout: Layout, decoder: DecoderKind, tower: TowerKind, precision: Precision, activations: Any, tmp_path: Path
) -> None:
    tiny = write_checkpoint(tmp_path / "checkpoint", layout, decoder, tower)
    packed = in_precision(open_checkpoint(tiny.path), precision)
    graphs = exported(packed, tmp_path / "packed", activations)
    pixels = normal(1, 3, 28, 28)
    expected = exported(dequantized(packed), tmp_path / "plain").features(pixels)
    # Dynamic int8 rounds to 1/255 of the whole input's range, of which most values are a small part.
    assert np.linalg.norm(graphs.features(pixels) - expected) < 0.05 * np.linalg.norm(expected)


def test_float16_graphs_stay_near_float32(tiny: Tiny, checkpoint: Checkpoint, tmp_path: Path) -> None:
    graphs = exported(in_precision(checkpoint, "fp16"), tmp_path, "float16")
    pixels, tokens = normal(1, 3, 28, 28), normal(12, 288)
    images = graphs.features(pixels)
    logits = graphs.decoder().read(cut(tokens, [8, 1, 3]))
    assert images.dtype == np.float16
    assert logits.dtype == np.float32
    np.testing.assert_allclose(images, tiny.image_features(pixels), atol=2e-2)
    np.testing.assert_allclose(logits, tiny.logits(tokens[None])[0, [7, 8, 11]], atol=2e-2)


def test_float16_weights_are_computed_with_in_float32(tiny: Tiny, checkpoint: Checkpoint, tmp_path: Path) -> None:
    half = in_precision(checkpoint, "fp16")
    graphs = exported(half, tmp_path / "half")
    reference = exported(in_precision(half, "fp32"), tmp_path / "whole")
    pixels, tokens = normal(1, 3, 28, 28), normal(6, 288)
    np.testing.assert_allclose(graphs.features(pixels), reference.features(pixels), atol=1e-6)
    np.testing.assert_allclose(graphs.decoder().read([tokens]), reference.decoder().read([tokens]), atol=1e-6)


# In the two tests below, a last bit that differs (a kernel for one row, another for many) may carry an int8
# activation over the edge between two codes, which is 1/127 of a block's largest value: hence float32.


@pytest.mark.parametrize("precision", ["fp32", "int8", "int4"])
def test_chunks_read_like_the_whole_prompt(precision: Precision, checkpoint: Checkpoint, tmp_path: Path) -> None:
    graphs = exported(in_precision(checkpoint, precision), tmp_path)
    in_float32_activations(graphs.graph("decoder"))
    tokens = normal(40, 288)
    whole = graphs.decoder().read([tokens])[-1]
    for lengths in ([16, 16, 8], [1, 39], [39, 1], [1] * 40):
        np.testing.assert_allclose(graphs.decoder().read(cut(tokens, lengths))[-1], whole, atol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "int8", "int4"])
def test_rows_of_different_length_decode_as_if_alone(
    precision: Precision, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    graphs = exported(in_precision(checkpoint, precision), tmp_path)
    in_float32_activations(graphs.graph("decoder"))
    prompts = [normal(length, 288, seed=length) for length in (3, 21, 1, 40)]
    following = normal(5, 4, 288)
    together, expected = graphs.decoder(rows=4), []
    for row, prompt in enumerate(prompts):
        alone = graphs.decoder()
        alone(prompt[None])
        together.take(row, alone)
        expected.append(alone.read(following[:, row, None]))
    got = np.stack([together(step[:, None]) for step in following], axis=1)
    np.testing.assert_allclose(got, np.stack(expected), atol=1e-4)
