"""Plans of full-sized models for SM86, built without a GPU: time, peak memory, bytes, and whether attention was fused.

    python -m tests.benchmarks.tensorrt_scale DIR [MODEL...] [--recipe q4]      needs the extra rtx

``DIR/MODEL`` is a checkpoint of random weights (tests.benchmarks.full_shape; written where it is missing), default
tinyllava-1.5b and llava-med-7b. Graphs and plans are removed again; the table goes to DIR/tensorrt.json, too.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from pathlib import Path

from edgekit.checkpoint.checkpoint import component
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.engines.tensorrt.build.job import Options
from edgekit.engines.tensorrt.build.plan import build_plan
from edgekit.engines.tensorrt.shapes import profiles
from edgekit.export.export import export
from edgekit.export.trt import TrtSpelling
from edgekit.quantize import quantize
from edgekit.recipe import recipe
from tests.benchmarks.full_shape import write

CONTEXT, SLOTS = 2048, 8
PARTS = {"vision": ("vision",), "projector": ("projector",), "decoder": ("decoder", "lm_head")}


def measure(path: Path, precision: str) -> list[dict[str, object]]:
    """A row for each graph of the checkpoint at ``path``, by the recipe ``precision``."""
    source = open_checkpoint(path)
    weights = {name: math.prod(shape) for name, shape in tensor_shapes(source.spec).items()}
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        place = Path(folder)
        export(quantize(source, recipe(precision)), "float16", CONTEXT, place, spelling=TrtSpelling)
        for name, shapes in profiles(source.spec, SLOTS, CONTEXT).items():
            graph = place / "graphs" / f"{name}.onnx"
            made = build_plan(graph, place / f"{name}.plan", shapes, Options("tensorrt_rtx", "8.6"))
            count = sum(size for tensor, size in weights.items() if component(tensor) in PARTS[name])
            rows.append(
                {
                    "model": path.name,
                    "graph": name,
                    "recipe": precision,
                    "weights_bytes": graph.with_name(f"{name}.onnx.data").stat().st_size,
                    "plan_bytes": made.bytes,
                    "bytes_per_parameter": round(made.bytes / count, 3),
                    "seconds": round(made.seconds, 1),
                    "peak_bytes": made.peak_bytes,
                    "scratch_bytes": made.activation_bytes,
                    "fused": made.fused,
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", nargs="*", default=["tinyllava-1.5b", "llava-med-7b"])
    parser.add_argument("--recipe", default="q4")
    asked = parser.parse_args()
    rows = []
    for model in asked.models:
        if not (asked.folder / model).exists():
            write(model, asked.folder / model)
        rows += measure(asked.folder / model, asked.recipe)
    (asked.folder / "tensorrt.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
