"""A toy engine whose tower and projector run apart, and the record of a bundle that it would have built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from safetensors.numpy import save_file

from edgekit.bundle import unsealed
from edgekit.check.components import Specimen
from edgekit.check.forced import Reader, stored_rows
from edgekit.check.golden import Arrays, GoldenSequence, Outputs
from edgekit.check.make import ids_of, prompt_of
from edgekit.checkpoint.packed import Array
from edgekit.inputs.images import Picture
from edgekit.inputs.preprocess import preprocess
from edgekit.runtime.embeddings import Embeddings
from tests.fake_engine import HIDDEN, FakeEngine, byte_tokenizer, fake_spec
from tests.unit.check.case import GOLDEN, MANIFEST
from tests.unit.check.test_measure import record
from tests.unit.check.test_scales import write_graph

SHADES = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
PICTURE = Picture.of(Image.fromarray(SHADES))
QUESTIONS = ("Is it well?", "Where?")
KEPT_IDS = tuple(range(0, 260, 20))


class PartedEngine(FakeEngine):
    """Its tower is a matrix over patches of 2 by 2 pixels, its projector another."""

    on_gpu = False
    plans = None

    def __init__(self) -> None:
        super().__init__(slots=1)
        random = np.random.default_rng(1)
        self._patches = random.normal(size=(12, HIDDEN)).astype(np.float32)
        self._projector = random.normal(size=(HIDDEN, HIDDEN)).astype(np.float32)

    def features(self, pixels: npt.NDArray[np.float32]) -> Array:
        cut = pixels.reshape(-1, 3, 2, 2, 2, 2).transpose(0, 2, 4, 1, 3, 5).reshape(-1, 4, 12)
        features: Array = cut @ self._patches
        return features

    def project(self, features: Array) -> Array:
        embeds: Array = features @ self._projector
        return embeds

    def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
        return self.project(self.features(pixels))


def specimen(folder: Path, engine: PartedEngine | None = None) -> Specimen:
    """A bundle in ``folder`` with two questions about one picture, whose record is of the very engine that runs it."""
    recorded, tokenizer, spec = PartedEngine(), byte_tokenizer(), fake_spec()
    (folder / "graphs").mkdir()
    for name in ("vision", "projector", "decoder"):
        write_graph(folder / "graphs", name, up=[0.1, 0.2])
    write_embedding(folder, [[0.1], [0.2]])
    pixels = preprocess(PICTURE.image, spec.image)[None]
    prompts = [prompt_of(spec, tokenizer, question, PICTURE) for question in QUESTIONS]
    sequences, reader = [], Reader(recorded)
    for question, prompt in zip(QUESTIONS, prompts, strict=True):
        rows = Embeddings(recorded).rows(prompt, 0, len(prompt))
        answer = reader.answer(rows, (), 5)
        logits = reader.forced(rows, answer[:-1])
        positions = record(logits.astype(np.float64), list(answer))
        sequences.append(GoldenSequence(question, 0, ids_of(prompt), tuple(positions)))
    golden = replace(GOLDEN, kept_ids=KEPT_IDS, alone=(0, 1), sequences=tuple(sequences))
    used = {token for sequence in sequences for token in (*sequence.prompt, *sequence.answer)} - {-1}
    tokens = np.array(sorted(used), np.int64)
    features = recorded.features(pixels)
    nothing = np.zeros((0, len(KEPT_IDS)), np.float32)
    outputs = Outputs(features, recorded.project(features), recorded.embed(tokens.tolist()), nothing)
    forced = [reader.forced_rows(*stored_rows(sequence, tokens.tolist(), outputs)) for sequence in sequences]
    outputs = replace(outputs, logits=np.concatenate(forced)[:, list(KEPT_IDS)])
    return Specimen(
        bundle=unsealed(folder, MANIFEST),
        golden=golden,
        arrays=Arrays(pixels, tokens, outputs, outputs),
        pictures=(PICTURE,),
        tokenizer=tokenizer,
        engine=engine or PartedEngine(),
    )


def write_embedding(folder: Path, scales: list[list[float]]) -> None:
    """An embedding table's scales, and codes of nothing."""
    table: dict[str, np.ndarray] = {
        "codes": np.zeros((len(scales), HIDDEN), np.int8),
        "scales": np.array(scales, np.float16),
    }
    save_file(table, folder / "embedding.safetensors")
