"""What a processor makes of graphs and bundles: ``python on_processor.py REQUEST.json ANSWERS.npz``.

Runs on the processor in question, emulated or not, with nothing but what EdgeKit itself needs. The request names
``graph``, a small graph of int8 products with its input ``x``, and ``bundles`` with the ``picture``, the ``question``
and the ``tokens`` of an answer, which are forced. What the processor is goes to stdout.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import Turn
from edgekit.machine.detect import cpu_features
from edgekit.onnx_session import open_graph, options, sums_saturate
from edgekit.runtime.embeddings import Embeddings
from edgekit.runtime.model import Model


def products(graph: Path, x: Any) -> dict[str, Any]:
    """The small graph's answer as the runtime gives it by itself, and as EdgeKit asks for it."""
    alone = onnxruntime.InferenceSession(str(graph), options(), providers=["CPUExecutionProvider"])
    return {"alone": alone.run(None, {"x": x})[0], "asked": open_graph(graph, "cpu").run(None, {"x": x})[0]}


def answer(bundle: Path, turn: Turn, tokens: list[int]) -> dict[str, Any]:
    """A picture's rows ``[tokens, hidden]``, and the logits ``[1 + tokens, vocab]`` before and behind each token."""
    with Model.open(bundle, slots=1) as model:
        prompt, embeddings = model.prompt([turn]), Embeddings(model.engine)
        assert len(prompt) <= model.engine.chunk
        logits = [model.engine.prefill(0, embeddings.rows(prompt, 0, len(prompt)), 0).copy()]
        logits += [model.engine.decode([token], [0])[0].copy() for token in tokens]
        image = model.engine.encode(prompt.images[0].pixels()[None])[0]
    return {f"{bundle.name}.image": image, f"{bundle.name}.logits": np.stack(logits)}


def main(request: str, answers: str) -> None:
    asked = json.loads(Path(request).read_text())
    turn = Turn(asked["question"], images=(load_image(asked["picture"]),))
    arrays = products(Path(asked["graph"]), np.load(asked["x"]))
    for bundle in asked["bundles"]:
        arrays |= answer(Path(bundle), turn, asked["tokens"])
    np.savez(answers, **arrays)
    seen = {"machine": platform.machine(), "features": cpu_features(), "believed": sums_saturate()}
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
