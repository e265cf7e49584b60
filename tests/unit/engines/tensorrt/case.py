"""A tiny bundle with its simulated plans, to open the TensorRT engine with; and transformers' answers to hold it to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit.bundle import FORMAT, Bundle, Manifest, unsealed
from edgekit.checkpoint.open import open_checkpoint
from edgekit.engines.tensorrt.engine import TensorRtEngine
from edgekit.export import export
from edgekit.export.trt import TrtSpelling
from edgekit.recipe import recipe
from edgekit.target import target
from tests.checkpoints import Tiny, write_checkpoint
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import FakeTensorRt
from tests.simulated_tensorrt.plan import write_plans

SLOTS, CONTEXT, CHUNK = 3, 320, 64  # buckets of 256 and 320 places: lines overlap when they move
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    tiny: Tiny
    bundle: Bundle
    plans: Path

    def open(
        self, device: FakeDevice | None = None, module: FakeTensorRt | None = None, **sizes: int
    ) -> TensorRtEngine:
        device = device or FakeDevice()
        module = module or FakeTensorRt(device)
        sizes = {"slots": SLOTS, "context": CONTEXT, "chunk": CHUNK} | sizes
        return TensorRtEngine(self.bundle, self.plans, module, device=device, **sizes)

    def tokens(self, count: int, seed: int) -> list[int]:
        vocab = self.bundle.manifest.spec.decoder.vocab
        return [int(token) for token in np.random.default_rng(seed).integers(5, vocab, count)]

    def expected(self, engine: TensorRtEngine, tokens: Sequence[int]) -> Floats:
        """transformers' logits after the last of ``tokens``."""
        logits: Floats = self.tiny.logits(engine.embed(tokens)[None].astype(np.float32))[0, -1]
        return logits


def make_case(folder: Path, **options: Any) -> Case:
    tiny = write_checkpoint(folder / "checkpoint", "hf", **options)
    checkpoint = open_checkpoint(tiny.path)
    export(checkpoint, "float16", CONTEXT, folder / "bundle", spelling=TrtSpelling)
    manifest = Manifest(
        format=FORMAT,
        edgekit="0",
        source="test",
        spec=checkpoint.spec,
        recipe=recipe("fp16"),
        target=target("rtx3050"),
        context=CONTEXT,
        forced=(),
        files={},
    )
    write_plans(folder / "plans", folder / "bundle" / "graphs", checkpoint.spec, SLOTS, CONTEXT)
    return Case(tiny, unsealed(folder / "bundle", manifest), folder / "plans")


def near(found: npt.NDArray[Any], expected: Floats) -> None:
    assert found.dtype == np.float32 or found.dtype == np.float16
    np.testing.assert_allclose(found.astype(np.float32), expected, rtol=0, atol=1e-2 * np.abs(expected).max())


def read(engine: TensorRtEngine, slot: int, tokens: Sequence[int], start: int = 0) -> Floats:
    """Prefill ``tokens[start:]`` in chunks."""
    logits = np.empty(0, np.float32)
    for first in range(start, len(tokens), CHUNK):
        logits = engine.prefill(slot, engine.embed(tokens[first : min(first + CHUNK, len(tokens))]), first)
    return logits


def spoilable(case: Case, folder: Path) -> Case:
    """The same, with plans in ``folder`` that a test may spoil."""
    write_plans(folder, case.bundle.path / "graphs", case.bundle.manifest.spec, SLOTS, CONTEXT)
    return replace(case, plans=folder)


@contextmanager
def closing(engine: TensorRtEngine) -> Iterator[TensorRtEngine]:
    try:
        yield engine
    finally:
        engine.close()
