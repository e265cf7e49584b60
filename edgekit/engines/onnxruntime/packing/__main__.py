"""The process that compiles: ``python -m edgekit.engines.onnxruntime.packing BUNDLE FOLDER``.

It fills FOLDER with graphs, their tensors and a probe, and its result is an
:class:`~edgekit.engines.backend.Outcome` (how it says so: :mod:`edgekit.child`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from edgekit import config
from edgekit.child import speak
from edgekit.engines.backend import Outcome
from edgekit.engines.lock import ENGINES
from edgekit.engines.onnxruntime.packing.graph import PackableGraph
from edgekit.engines.onnxruntime.packing.optimize import optimize
from edgekit.engines.onnxruntime.packing.probe import samples, write_probe
from edgekit.engines.onnxruntime.packing.spans import span_of
from edgekit.engines.onnxruntime.packing.write import PackedWriter
from edgekit.files import require_space
from edgekit.machine.memory import peak_bytes

GRAPHS = ("decoder", "projector", "vision")


def compile_graphs(bundle: Path, folder: Path, progress: Callable[[int, int], None]) -> str:
    """Fill ``folder``; what its probe answers. :class:`EngineError` where this machine's runtime can't."""
    scratch = folder / "scratch"
    scratch.mkdir()
    require_space(bundle / ENGINES, sum(file.stat().st_size for file in (bundle / "graphs").iterdir()))
    graphs = {name: optimize(bundle / "graphs" / f"{name}.onnx", scratch) for name in GRAPHS}
    chosen = samples(list(graphs.values()), scratch)
    expected, once = write_probe(chosen, folder, scratch)
    done, total = 0, sum(_external_bytes(graph) for graph in graphs.values())
    # Packed int4 is an eighth larger: it has sums beside the codes.
    require_space(bundle / ENGINES, total * 5 // 4 + (0 if once else total))

    def wrote(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    writer = PackedWriter(chosen, scratch, once=once, wrote=wrote)
    for name, graph in graphs.items():
        writer.write(graph, folder / f"{name}.onnx")
    shutil.rmtree(scratch)
    return expected


def _external_bytes(graph: PackableGraph) -> int:
    spans = (span_of(tensor) for tensor in graph.tensors.values())
    return sum(span.length for span in spans if span)


def main(bundle: str, folder: str) -> None:
    def work(say: Callable[..., None]) -> list[object]:
        probe = compile_graphs(Path(bundle), Path(folder), lambda done, total: say("progress", "compile", done, total))
        return [config.dump(Outcome(peak_bytes(), probe))]

    speak(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
