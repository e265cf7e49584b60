"""Plans held against profiles at full size: memory, component by component, and speed.

    python -m tests.benchmarks.memory DIR [MODEL RECIPE]...     default: tinyllava-1.5b q4 and q8

``llava-med-7b q4`` takes 20 GB of disk and half an hour. Checkpoints (random weights of the true shapes) and bundles
are kept in DIR; results go to stdout, and the exit code is 1 where a plan misses static memory by more than 5 per cent,
dynamic by more than 10, or a weight by a byte.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edgekit.bundle import MANIFEST, open_bundle
from edgekit.cli.main import main as edgekit
from edgekit.pipeline import build
from edgekit.profile import against_plan
from edgekit.profile.store import newest
from edgekit.recipe import recipe
from edgekit.target import target
from tests.benchmarks.full_shape import write

LIMITS = {"static": 0.05, "dynamic": 0.10}


def measure(folder: Path, model: str, name: str) -> bool:
    """Build and profile one; whether its plan was near enough."""
    bundle = folder / f"{model}-{name}"
    if not (bundle / MANIFEST).exists():
        write(model, folder / model)
        build(folder / model, target("cpu"), recipe(name), bundle)
    edgekit(["profile", str(open_bundle(bundle).path), "--force"])
    made = newest(bundle)
    exact = all(made.planned.components[part] == size for part, size in made.memory.weights.items())
    near = all(abs(figure.error) <= LIMITS.get(figure.name, 1e9) for figure in against_plan(made))
    print(f"\n{model} {name}: weights {'exact' if exact else 'WRONG'}, plan {'near enough' if near else 'TOO FAR'}\n")
    return exact and near


def main(folder: str, *wanted: str) -> int:
    pairs = list(zip(wanted[0::2], wanted[1::2], strict=True)) or [("tinyllava-1.5b", "q4"), ("tinyllava-1.5b", "q8")]
    near = [measure(Path(folder), model, name) for model, name in pairs]
    return 0 if all(near) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
