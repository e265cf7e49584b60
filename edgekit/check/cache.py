"""What keeping keys and values in int8 takes by itself: a bundle's own decoder over such a cache and over a float one.

Both have the same weights and kernels, and read the same golden sequences word by word, so nothing but the cache is
between them. What the weights' own precision takes is the check's to say, against the unquantized model.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgekit.bundle import Bundle, unsealed
from edgekit.check import forced
from edgekit.check.golden import read_golden
from edgekit.check.measure import divergence, logsumexp
from edgekit.engines.base import Engine, Logits
from edgekit.engines.onnxruntime import OnnxRuntimeEngine
from edgekit.progress import Progress, silent

_SCALES = 12
"""From this on, GroupQueryAttention's inputs are k_scale and v_scale (ONNX Runtime's ContribOperators.md)."""
_ATTRIBUTES = ("k_quant_type", "v_quant_type", "kv_cache_bit_width")


@dataclass(frozen=True)
class CacheLoss:
    """Over ``positions`` of answers: mean and worst divergence of what comes next, in nats, from that over a float
    cache; ``same``: at how many both expect the same token most."""

    positions: int
    kl: float
    worst_kl: float
    same: int


def cache_loss(bundle: Bundle, progress: Progress = silent) -> CacheLoss:
    """Of a bundle for a CPU with an int8 cache and a golden record, sealed or not. Its folder must be writable.

    :class:`~edgekit.errors.EdgeKitError` as of the record and the engine.
    """
    graphs = bundle.path / "graphs"
    with closing(OnnxRuntimeEngine(bundle, graphs, 1)) as engine:
        found = _read(bundle, engine, progress)
    manifest = bundle.manifest
    plain = unsealed(bundle.path, replace(manifest, recipe=replace(manifest.recipe, kv="activations")))
    # Beside the bundle's own: only links can be made to data of that size, and not to another disk.
    with tempfile.TemporaryDirectory(prefix=".plain-", dir=bundle.path) as folder:
        _link(graphs, Path(folder))
        _write_plain(graphs / "decoder.onnx", Path(folder) / "decoder.onnx")
        with closing(OnnxRuntimeEngine(plain, Path(folder), 1)) as engine:
            expected = _read(bundle, engine, progress)
    p, q = (side - logsumexp(side)[:, None] for side in (expected.astype(np.float64), found.astype(np.float64)))
    kl = np.maximum(divergence(p, q), 0)
    return CacheLoss(len(kl), float(kl.mean()), float(kl.max()), int((p.argmax(1) == q.argmax(1)).sum()))


def _read(bundle: Bundle, engine: Engine, progress: Progress) -> Logits:
    """Logits ``[positions, vocab]`` of the sequences by which a decoder is looked at alone."""
    golden, arrays = read_golden(bundle)
    reader, found = forced.Reader(engine), []
    for done, at in enumerate(golden.alone, 1):
        rows, following = forced.stored_rows(golden.sequences[at], arrays.tokens.tolist(), arrays.exact)
        found.append(reader.told_rows(rows, following))
        progress("cache", done, len(golden.alone))
    return np.concatenate(found)


def _link(graphs: Path, folder: Path) -> None:
    for file in graphs.iterdir():
        if file.name == "decoder.onnx":
            continue
        try:
            os.link(file, folder / file.name)
        except OSError:  # a disk without links
            shutil.copyfile(file, folder / file.name)


def _write_plain(decoder: Path, out: Path) -> None:
    """The decoder with its keys and values in float32: the scales are left out, and all else is as it was."""
    import onnx  # building needs it, running doesn't

    model = onnx.load(str(decoder), load_external_data=False)
    for node in model.graph.node:
        if node.op_type == "GroupQueryAttention":
            del node.input[_SCALES:]
            for attribute in [one for one in node.attribute if one.name in _ATTRIBUTES]:
                node.attribute.remove(attribute)
    for value in (*model.graph.input, *model.graph.output):
        if value.name.startswith(("past.", "present.")):
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    used = {name for node in model.graph.node for name in node.input}
    for initializer in [one for one in model.graph.initializer if one.name not in used]:
        model.graph.initializer.remove(initializer)
    onnx.save(model, str(out))
