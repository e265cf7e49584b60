"""Build full-shape checkpoints and measure: seconds, checkpoint read per second, peak memory, bytes per part.

    python -m tests.benchmarks.build_scale                          TinyLLaVA-1.5B for cpu and rtx3080
    python -m tests.benchmarks.build_scale --model llava-med-7b --target cpu

Checkpoints are written to ``--directory`` once (see :mod:`tests.benchmarks.full_shape`) and stay there;
bundles are removed again. Each build is a fresh process. Memory is the largest resident set of it and its
children together, sampled, mapped files included; the largest single process's as the kernel noted it
stands beside it. Bytes are held against arithmetic from the published shapes, within one percent.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx
import psutil

from edgekit.checkpoint.checkpoint import component
from tests.benchmarks.full_shape import MODELS, tensors, write

# int4 (group 128) decoder and head, int8 elsewhere, fp16 scales: the arithmetic's published results.
PUBLISHED = {"tinyllava-1.5b": 1_005_895_808, "llava-med-7b": 4_111_804_928}
_QUANTIZE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from edgekit.checkpoint.open import open_checkpoint
from edgekit.quantize import quantize
from edgekit.recipe import recipe

def read(weight):
    step = max(1, 2**22 * weight.shape[0] // max(1, __import__("math").prod(weight.shape)))
    for start in range(0, weight.shape[0], step):
        stop = min(start + step, weight.shape[0])
        if hasattr(weight, "packed_rows"):
            weight.packed_rows(start, stop)
        else:
            weight.rows(start, stop)
            weight.release(start, stop)

view = quantize(open_checkpoint(Path(sys.argv[1])), recipe("q4"))
with ThreadPoolExecutor() as pool:
    list(pool.map(read, view.tensors.values()))
"""


@dataclass(frozen=True)
class Measured:
    """One build. ``peak_mib`` is of all its processes together, ``largest_mib`` of the largest."""

    model: str
    what: str
    checkpoint_gb: float
    seconds: float
    cpu_seconds: float
    gb_per_s: float
    peak_mib: float
    largest_mib: float
    bytes: dict[str, int]
    expected: dict[str, int]


def expected_bytes(model: str, scale_bytes: int, plain_bytes: int) -> dict[str, int]:
    """Bytes per part under q4, from shapes alone: the last tower layer and its final norm are not kept."""
    counted: Counter[str] = Counter()
    last = f".encoder.layers.{MODELS[model].tower_layers - 1}."
    for name, shape in tensors(MODELS[model]):
        if last in name or ".post_layernorm." in name:
            continue
        part = "vision" if ".vision_tower." in name else "projector" if ".mm_projector." in name else "decoder"
        part = {"lm_head.weight": "lm_head", "model.embed_tokens.weight": "embedding"}.get(name, part)
        if len(shape) != 2 or "position_embedding" in name:
            counted[part] += math.prod(shape) * plain_bytes
        elif part in ("decoder", "lm_head"):
            counted[part] += shape[0] * -(-shape[1] // 128) * (64 + scale_bytes)
        else:
            counted[part] += shape[0] * (shape[1] + (2 if part == "embedding" else scale_bytes))
    return dict(counted)


def bundle_bytes(bundle: Path) -> dict[str, int]:
    """Bytes of weights per part, as a built bundle holds them."""
    counted: Counter[str] = Counter()
    for file in (bundle / "graphs").glob("*.onnx"):
        for tensor in onnx.load(str(file), load_external_data=False).graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "length":
                    counted[component(tensor.name)] += int(entry.value)
    counted["embedding"] += (bundle / "embedding.safetensors").stat().st_size
    return dict(counted)


def run(command: Sequence[str]) -> tuple[float, float, float, float]:
    """Run a process: seconds, seconds of CPU, peak MiB of all its processes, and of the largest."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak, ended = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, ended))
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:5])} … ended with {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime, peak[0] / 2**20, usage.ru_maxrss / 2**10


def _watch(pid: int, peak: list[int], ended: threading.Event) -> None:
    while not ended.wait(0.02):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            family = [process, *process.children(recursive=True)]
            peak[0] = max(peak[0], sum(process.memory_info().rss for process in family))


def measure_build(model: str, checkpoint: Path, size: int, target: str) -> Measured:
    """Build for ``target`` by the command line, into a folder that goes again."""
    out = Path(tempfile.mkdtemp(prefix="bundle-", dir=checkpoint.parent))
    build = [sys.executable, "-m", "edgekit", "build", str(checkpoint), "--target", target, "--recipe", "q4"]
    try:
        seconds, cpu, peak, largest = run([*build, "--out", str(out / "bundle"), "--json"])
        found = bundle_bytes(out / "bundle")
    finally:
        shutil.rmtree(out)
    expected = expected_bytes(model, *((4, 4) if target == "cpu" else (2, 2)))
    return Measured(
        model, f"build for {target}", size / 1e9, seconds, cpu, size / seconds / 1e9, peak, largest, found, expected
    )


def measure_quantize(model: str, checkpoint: Path, size: int) -> Measured:
    """Read and pack every weight, and write nothing."""
    seconds, cpu, peak, largest = run([sys.executable, "-c", _QUANTIZE, str(checkpoint)])
    return Measured(model, "quantize only", size / 1e9, seconds, cpu, size / seconds / 1e9, peak, largest, {}, {})


def show(measured: Measured) -> None:
    print(
        f"{measured.model}, {measured.what}: {measured.checkpoint_gb:.2f} GB in {measured.seconds:.1f} s "
        f"({measured.gb_per_s:.2f} GB/s; {measured.cpu_seconds:.1f} s of CPU), peak {measured.peak_mib:.0f} MiB, "
        f"largest process {measured.largest_mib:.0f} MiB"
    )
    for part, expected in measured.expected.items():
        found = measured.bytes.get(part, 0)
        print(f"  {part:10} {found:>13,} B   expected {expected:>13,}   {100 * (found / expected - 1):+.3f} %")
    if measured.expected:
        found, expected = sum(measured.bytes.values()), sum(measured.expected.values())
        print(f"  {'total':10} {found:>13,} B   expected {expected:>13,}   {100 * (found / expected - 1):+.3f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", choices=MODELS)
    parser.add_argument("--target", action="append")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()) / "edgekit-bench")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = []
    for model in arguments.model or ["tinyllava-1.5b"]:
        assert sum(expected_bytes(model, 2, 2).values()) == PUBLISHED[model]
        checkpoint = arguments.directory / model
        size = write(model, checkpoint)
        results.append(measure_quantize(model, checkpoint, size))
        results += [measure_build(model, checkpoint, size, target) for target in arguments.target or ["cpu", "rtx3080"]]
    if arguments.json:
        print(json.dumps([asdict(measured) for measured in results], indent=2))
        return
    for measured in results:
        show(measured)


if __name__ == "__main__":
    main()
