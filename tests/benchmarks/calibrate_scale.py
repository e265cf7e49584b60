"""Calibrating at full size: time per block, the projected total, and peak memory.

    python -m tests.benchmarks.calibrate_scale DIR [MODEL] [METHOD] [SAMPLES] [BLOCKS]

``DIR/MODEL`` is a checkpoint of random weights (tests.benchmarks.full_shape; written where it is missing), default
llava-med-7b, awq, 16 samples of a picture and 64 tokens of text. Only the first BLOCKS (3) are done;
then the run is as if interrupted.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgekit.blocks import BlockModel
from edgekit.checkpoint.open import open_checkpoint
from edgekit.quantize.calibrated import looked_at
from edgekit.quantize.layer import gather, quantized_block
from edgekit.quantize.rows import write_rows
from edgekit.recipe import recipe
from tests.benchmarks.full_shape import write

TEXT = 64


def main(folder: str, model: str = "llava-med-7b", method: str = "awq", samples: str = "16", blocks: str = "3") -> None:
    path = Path(folder, model)
    if not path.exists():
        write(model, path)
    checkpoint = open_checkpoint(path)
    spec, how = checkpoint.spec, replace(recipe("q4"), method=method)  # type: ignore[arg-type]
    run = BlockModel(checkpoint)
    rng = np.random.default_rng(0)
    lengths = [spec.tokens_per_image + TEXT] * int(samples)
    weights = np.concatenate([np.full(spec.tokens_per_image, TEXT / spec.tokens_per_image), np.ones(TEXT)])
    taken = []
    with tempfile.TemporaryDirectory(dir=folder) as work:
        drawn = (rng.standard_normal((n, spec.decoder.hidden), dtype=np.float32) for n in lengths)
        rows = write_rows(Path(work), 0, drawn, lengths, spec.decoder.hidden)
        for index in range(int(blocks)):
            began = time.perf_counter()
            block = run.layer(index)
            loaded = time.perf_counter()
            moments = gather(block, ((x, weights.astype(np.float32)) for x in rows))
            gathered = time.perf_counter()
            names = {name: bits for name, bits in looked_at(checkpoint, how).items() if name in block.weights}
            made = quantized_block(block, moments, names, how.method, how.group)
            searched = time.perf_counter()
            stand_ins = {**made.plain, **{name: weight.dequantize() for name, weight in made.packed.items()}}
            rows = rows.next(block(x[None], stand_ins)[0] for x in rows)
            ended = time.perf_counter()
            taken.append(ended - began)
            steps = (loaded - began, gathered - loaded, searched - gathered, ended - searched)
            print(f"block {index}: {taken[-1]:.1f} s (load, gather, {method}, run on: {[round(s, 1) for s in steps]})")
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = np.median(taken) * (spec.decoder.layers + spec.decoder.vocab / 32000)
    print(f"{model}, {method}, {samples} samples: median {np.median(taken):.1f} s a block, all {total / 60:.0f} min")
    print(f"peak {peak / 2**30:.2f} GiB (VmHWM, mapped checkpoint and rows among it)")


if __name__ == "__main__":
    main(*sys.argv[1:])
