"""What a service costs beside the generator that it runs: throughput, first tokens, and a light caller's wait.

    python -m tests.benchmarks.served BUNDLE [--rounds 5] [--requests 64] [--max-tokens 64] [--parts throughput …]

The service is a process of its own, the bare generator runs in this one, with as many slots; rounds alternate, so that
a busy machine slows both alike, and medians of ratios within a pair are told. Prints a line of JSON for each part.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.bundle import open_bundle
from edgekit.engines.open import open_engine
from edgekit.inputs.prompt import Turn
from edgekit.runtime import SamplingParams, TextDelta
from edgekit.runtime.model import Model, open_tokenizer
from edgekit.serve.tokens import add
from tests.benchmarks.load import load, question
from tests.benchmarks.load_figures import figures
from tests.serve_process import process
from tests.wire import Connection, Reply

SLOTS, HEAVY = 8, 32
PARTS = ("throughput", "first", "light")


@dataclass(frozen=True)
class Bench:
    """A service with tokens of two callers, beside an opened model; ``max_tokens`` of each answer."""

    url: str
    secrets: Sequence[str]
    model: Model
    max_tokens: int

    def bodies(self, count: int, base: int, images: int = 0) -> list[bytes]:
        """Write so many streamed questions, numbered from ``base`` on."""
        fields = {"max_tokens": self.max_tokens, "stream": True}
        return [question(base + number, images, fields) for number in range(count)]

    def throughput(self, requests: int, base: int) -> dict[str, float]:
        """Tokens per second of the bare generator, and of the service with as many callers as slots."""
        prompts = [self.model.prompt([Turn(_text(body))]) for body in self.bodies(requests, base)]
        begun = time.perf_counter()
        done = list(self.model.generator.generate(prompts, SamplingParams(max_tokens=self.max_tokens)))
        bare = sum(completion.tokens for completion in done) / (time.perf_counter() - begun)
        replies = asyncio.run(load(self.url, self.bodies(requests, base), SLOTS, self.secrets[:1]))
        served = figures(replies, SLOTS)
        assert not served.errors, served.errors
        return {"bare": round(bare, 1), "served": served.tokens_per_s, "ratio": round(served.tokens_per_s / bare, 3)}

    def first(self, requests: int, base: int) -> dict[str, float]:
        """Median milliseconds to the first text of a question without pictures, one by one, in turn."""
        bare, served = list[float](), list[float]()

        async def ask() -> None:
            connection = Connection(self.url, {"authorization": f"Bearer {self.secrets[0]}"})
            for body in self.bodies(requests, base):
                bare.append(self._bare_first(_text(body)))
                reply = await connection.ask(body)
                assert reply.first_s is not None
                served.append(reply.first_s - reply.sent_s)
            connection.close()

        asyncio.run(ask())
        medians = [1000 * statistics.median(each) for each in (bare, served)]
        return {
            "bare": round(medians[0], 2),
            "served": round(medians[1], 2),
            "later": round(medians[1] - medians[0], 2),
        }

    def _bare_first(self, text: str) -> float:
        prompt = self.model.prompt([Turn(text)])
        begun = time.perf_counter()
        for event in self.model.generator.stream(prompt, SamplingParams(max_tokens=self.max_tokens)):
            if isinstance(event, TextDelta):
                return time.perf_counter() - begun
        raise AssertionError("an answer without text")

    def light(self, requests: int, base: int) -> dict[str, float]:
        """95th percentiles of a caller who asks one by one, alone and beside one who asks many at once."""
        alone = asyncio.run(load(self.url, self.bodies(requests, base, 1), 1, self.secrets[:1]))

        async def beside() -> list[Reply]:
            endless = (body for part in range(100) for body in self.bodies(HEAVY, base + 5_000 + part * HEAVY, 1))
            heavy = asyncio.create_task(load(self.url, endless, HEAVY, self.secrets[1:]))
            await asyncio.sleep(1)
            light = await load(self.url, self.bodies(requests, base + requests, 1), 1, self.secrets[:1])
            heavy.cancel()
            await asyncio.gather(heavy, return_exceptions=True)
            return light

        pair = [figures(replies, 1) for replies in (alone, asyncio.run(beside()))]
        assert not any(each.errors for each in pair)
        told: dict[str, float] = {}
        for name in ("first", "total"):
            spreads = [getattr(each, name).p95 for each in pair]
            told |= {f"{name}_alone": spreads[0], f"{name}_beside": spreads[1]}
            told[f"{name}_ratio"] = round(spreads[1] / spreads[0], 2)
        return told


def _text(body: bytes) -> str:
    content: str = json.loads(body)["messages"][0]["content"]
    return content


@contextmanager
def bench(path: Path, max_tokens: int) -> Iterator[Bench]:
    """Open a bundle here, and serve it in a process beside."""
    bundle = open_bundle(path)
    with (
        tempfile.TemporaryDirectory() as folder,
        Model.of(bundle, open_tokenizer(bundle), open_engine(bundle, SLOTS)) as model,
    ):
        site = Path(folder)
        secrets = [add(site / "tokens.toml", name) for name in ("light", "heavy")]
        (site / "serve.toml").write_text(f"[limits]\nwaiting_per_caller = {2 * HEAVY}\n")
        with process(path, "--slots", str(SLOTS), site=site) as running:
            yield Bench(running.url.rstrip("/"), secrets, model, max_tokens)


def median(rounds: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Medians over rounds, and the range of each ratio."""
    told: dict[str, Any] = {name: round(float(np.median([each[name] for each in rounds])), 3) for name in rounds[0]}
    for name in rounds[0]:
        if name.endswith(("ratio", "later")):
            told[f"{name}_range"] = [min(each[name] for each in rounds), max(each[name] for each in rounds)]
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=64)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    arguments = parser.parse_args()
    with bench(arguments.bundle, arguments.max_tokens) as measured:
        measured.throughput(SLOTS, 0)  # a first one does not count
        for number, part in enumerate(arguments.parts):
            bases = [1_000_000 * (number + 1) + 10_000 * round for round in range(arguments.rounds)]
            rounds = [getattr(measured, part)(arguments.requests, base) for base in bases]
            print(json.dumps({part: median(rounds)}), flush=True)


if __name__ == "__main__":
    main()
