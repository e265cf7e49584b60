"""ONNX Runtime's CUDA provider on the NVIDIA GPU that is there: parity, speed at 1 to 8 rows, bandwidth, memory.

    python -m tests.benchmarks.cuda_provider DIR [CHECKPOINT] --bandwidth "4.8 TB/s" [--recipe R]...

CHECKPOINT is the embedded model without one; tests.benchmarks.full_shape writes those of real models' shapes. No target
need know the GPU: one is written to DIR/GPU.toml, with the bandwidth of its data sheet. Bundles (by fp16 and q4) are
kept in DIR and taken again, what a check said beside them (BUNDLE-check.json: parity with the CPU's answers). What
EdgeKit's commands show goes to stderr, and what `edgekit report engines --json` makes
of it to stdout, so that `> FILE` keeps it. The exit code is the first that was not 0 (3: answers fell short); it comes
after all have run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from edgekit import config
from edgekit.bundle import MANIFEST, open_bundle
from edgekit.errors import EdgeKitError
from edgekit.phantom.embedded import embedded
from edgekit.profile.store import profiles
from edgekit.target import Target
from edgekit.target import target as load_target
from edgekit.units import parse_bytes
from tests.accelerator import lacking_cuda_provider, target_here

SLOTS = 8


def edgekit(*arguments: str | Path, to: IO[Any] = sys.stderr) -> int:
    """One command, in a process of its own: what is measured must find the GPU as empty as a device's is."""
    command = [sys.executable, "-m", "edgekit", *map(str, arguments)]
    return subprocess.run(command, stdout=to, check=False).returncode


def write_target(target: Target, folder: Path) -> Path:
    """As a file that commands take; a number or a text in JSON is one in TOML, too."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in config.dump(target).items() if key != "budget"]
    path = folder / f"{target.name}.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def measure(checkpoint: Path, how: str, target: Path, bundle: Path) -> list[int]:
    """Build where it is missing or for another GPU, check and profile: the exit codes."""
    if not (bundle / MANIFEST).exists() or open_bundle(bundle).manifest.target != load_target(str(target)):
        code = edgekit("build", checkpoint, "--target", target, "--recipe", how, "--out", bundle)
        if code:
            return [code]
    checked = bundle.with_name(f"{bundle.name}-check.json")
    with checked.open("wb") as kept:
        code = edgekit("check", bundle, "--json", to=kept)
    return [code, edgekit("profile", bundle, "--slots", str(SLOTS))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("checkpoint", type=Path, nargs="?", default=embedded())
    parser.add_argument("--bandwidth", required=True, help='of the GPU\'s memory, "4.8 TB/s"')
    parser.add_argument("--recipe", action="append", dest="recipes", help="[default: fp16 and q4]")
    asked = parser.parse_args()
    try:
        bandwidth = parse_bytes(asked.bandwidth.removesuffix("/s"))
        lacking = lacking_cuda_provider()
    except EdgeKitError as error:
        raise SystemExit(str(error)) from None
    if lacking:
        raise SystemExit(lacking)
    asked.folder.mkdir(parents=True, exist_ok=True)
    target = write_target(target_here("onnxruntime-cuda", slots=SLOTS, bandwidth=bandwidth), asked.folder)
    edgekit("doctor", "--target", target)  # a reader's to judge: what matters here fails by itself
    codes, measured = [], []
    for how in asked.recipes or ["fp16", "q4"]:
        bundle = asked.folder / f"{asked.checkpoint.resolve().name}-{how}"
        codes += measure(asked.checkpoint, how, target, bundle)
        if profiles(bundle):
            measured.append(bundle)
    if measured:
        codes.append(edgekit("report", "engines", *measured, "--json", to=sys.stdout))
    return next(filter(None, codes), 0)


if __name__ == "__main__":
    sys.exit(main())
