"""What keeping keys and values in int8 takes by itself: a bundle's own decoder over such a cache and over a float one.

Both have the same weights and kernels, and read the same golden sequences word by word, so nothing but the cache is
between them. What the weights' own precision takes is the check's to say, against the unquantized model.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgekit.blocks.distributions import divergence, log_softmax
from edgekit.bundle import Bundle, unsealed
from edgekit.check import forced
from edgekit.check.golden import read_golden
from edgekit.check.measure import UNUSABLE
from edgekit.engines.base import Engine, Logits
from edgekit.engines.onnxruntime.engine import DECODER, OnnxRuntimeEngine
from edgekit.engines.open import give_back_freed_memory
from edgekit.files import writing
from edgekit.progress import Progress, silent

_PLAIN = ".decoder-over-floats.onnx"
_SCALES = 12
"""From this on, GroupQueryAttention's inputs are k_scale and v_scale (ONNX Runtime's ContribOperators.md)."""
_ATTRIBUTES = ("k_quant_type", "v_quant_type", "kv_cache_bit_width")


@dataclass(frozen=True)
class CacheLoss:
    """What a cache in int8 loses over ``positions`` of answers: mean and worst divergence of what comes next, in nats,
    from that over a float cache; ``same``: at how many both expect the same token most."""

    positions: int
    kl: float
    worst_kl: float
    same: int


def cache_loss(bundle: Bundle, progress: Progress = silent) -> CacheLoss:
    """Measure the loss of a bundle for a CPU that has an int8 cache and a golden record, and is not sealed yet.

    It is measured by the sequences that its decoder is checked by alone. :class:`~edgekit.errors.EdgeKitError` as of
    the record, the engine (a float cache takes four times the memory) and the disk.
    """
    codes = _read(bundle, DECODER, progress)
    manifest, graphs = bundle.manifest, bundle.path / "graphs"
    over_floats = unsealed(bundle.path, replace(manifest, recipe=replace(manifest.recipe, kv="activations")))
    try:
        _write_plain(graphs / DECODER, graphs / _PLAIN)
        floats = _read(over_floats, _PLAIN, progress)
    finally:
        (graphs / _PLAIN).unlink(missing_ok=True)
    p, q = (log_softmax(logits.astype(np.float64)) for logits in (floats, codes))
    kl = np.nan_to_num(np.maximum(divergence(p, q), 0), nan=UNUSABLE, posinf=UNUSABLE)
    return CacheLoss(len(kl), float(kl.mean()), float(kl.max()), int((p.argmax(1) == q.argmax(1)).sum()))


def _read(bundle: Bundle, decoder: str, progress: Progress) -> Logits:
    with closing(OnnxRuntimeEngine(bundle, bundle.path / "graphs", 1, decoder=decoder)) as engine:
        logits = _forced(bundle, engine, progress)
    give_back_freed_memory()
    return logits


def _forced(bundle: Bundle, engine: Engine, progress: Progress) -> Logits:
    """Logits ``[positions, vocab]`` of the answers by which the decoder is checked alone."""
    golden, arrays = read_golden(bundle)
    answers = []
    for done, (_, logits) in enumerate(forced.stored_answers(engine, golden, arrays.tokens.tolist(), arrays.exact), 1):
        answers.append(logits)
        progress("cache", done, len(golden.alone))
    return np.concatenate(answers)


def _write_plain(decoder: Path, out: Path) -> None:
    """The decoder with its keys and values in float32, over the same data beside it."""
    import onnx  # building needs it, running doesn't

    model = onnx.load(str(decoder), load_external_data=False)
    for node in model.graph.node:
        if node.op_type == "GroupQueryAttention":
            del node.input[_SCALES:]
            for attribute in [entry for entry in node.attribute if entry.name in _ATTRIBUTES]:
                node.attribute.remove(attribute)
    for value in (*model.graph.input, *model.graph.output):
        if value.name.startswith(("past.", "present.")):
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    used = {name for node in model.graph.node for name in node.input}
    for initializer in [entry for entry in model.graph.initializer if entry.name not in used]:
        model.graph.initializer.remove(initializer)
    with writing(out):
        out.write_bytes(model.SerializeToString())
