"""The process that compiles: ``python -m edgekit.engines.packing BUNDLE FOLDER``.

It fills FOLDER with graphs, their tensors and a probe, and says on stdout, one JSON array a line:
``["progress", done, total]``, and at the end ``["done", probe's answers, peak bytes]`` or
``["error", message, hint]``. It ends when its stdin does, and so with the process that started it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from edgekit.engines.lock import ENGINES
from edgekit.engines.packing.graph import Graph
from edgekit.engines.packing.optimize import optimize
from edgekit.engines.packing.probe import samples, write_probe
from edgekit.engines.packing.spans import span_of
from edgekit.engines.packing.write import Writer
from edgekit.errors import EdgeKitError
from edgekit.files import require_space

GRAPHS = ("decoder", "projector", "vision")


def compile_graphs(bundle: Path, folder: Path, progress: Callable[[int, int], None]) -> str:
    """Fill ``folder``; what its probe answers. :class:`EngineError` where this machine's runtime can't."""
    scratch = folder / "scratch"
    scratch.mkdir()
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

    writer = Writer(chosen, scratch, once=once, wrote=wrote)
    for name, graph in graphs.items():
        writer.write(graph, folder / f"{name}.onnx")
    shutil.rmtree(scratch)
    return expected


def _external_bytes(graph: Graph) -> int:
    spans = (span_of(tensor) for tensor in graph.tensors.values())
    return sum(span.length for span in spans if span)


def peak_bytes() -> int:
    """The most memory that this process has had resident, mapped files included (Linux's VmHWM)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _end_with_stdin() -> None:
    os.read(0, 1)  # not sys.stdin: its lock would still be held when Python ends
    os._exit(1)


def main(bundle: str, folder: str) -> None:
    def say(*words: object) -> None:
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()

    try:
        found = compile_graphs(Path(bundle), Path(folder), lambda done, total: say("progress", done, total))
        say("done", found, peak_bytes())
    except EdgeKitError as error:
        say("error", error.message, error.hint)


if __name__ == "__main__":
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    main(*sys.argv[1:])
