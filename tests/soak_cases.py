"""What a soak of the service asks, and what is answered alone: a picture, a question and a seed for each request."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from edgekit.bundle import open_bundle
from edgekit.engines.open import open_engine
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Turn, build
from edgekit.phantom import draw, scene
from edgekit.phantom.split import SEEDS
from edgekit.runtime import Completion, SamplingParams
from edgekit.runtime.generator import Generator
from edgekit.runtime.model import open_tokenizer
from edgekit.serve.openai.answer import NEVER

SLOTS = 8
PICTURES = 601
"""More than the service remembers: pictures come and go."""
_TEMPERATURE, _MAX_TOKENS = 1.5, 24
_TEXTS = ("Describe the image.", "Describe this radiograph.", "What does the image show?")


@dataclass(frozen=True)
class Case:
    """A request: the number of its phantom, its question and its seed."""

    picture: int
    text: str
    seed: int

    def body(self, *, stream: bool) -> bytes:
        """Write the request."""
        content = [
            {"type": "image_url", "image_url": {"url": _url(self.picture)}},
            {"type": "text", "text": self.text},
        ]
        fields: dict[str, Any] = {"messages": [{"role": "user", "content": content}], "logprobs": True}
        fields |= {"temperature": _TEMPERATURE, "max_tokens": _MAX_TOKENS, "seed": self.seed, "stream": stream}
        return json.dumps(fields).encode()


@dataclass(frozen=True)
class Written:
    """An answer: its text, its tokens with the logarithms of their probabilities, and why it ended."""

    text: str
    tokens: tuple[tuple[str, float], ...]
    reason: str

    @classmethod
    def of(cls, completion: Completion) -> Written:
        """What an answer's completion says."""
        tokens = tuple((token.text, max(token.logprob, NEVER)) for token in completion.logprobs)
        return cls(completion.text, tokens, completion.reason)


def cases(count: int) -> list[Case]:
    """So many requests: neighbours differ in phantom, question and seed, but every fourth has the phantom before it."""
    return [Case((number - number % 4 // 3) * 7 % PICTURES, _TEXTS[number % 3], number) for number in range(count)]


def alone(path: Path, every: Sequence[Case]) -> list[Written]:
    """Answer each request by an engine that has nothing else to do."""
    bundle, written = open_bundle(path), dict[int, Written]()
    engine, tokenizer = open_engine(bundle, SLOTS), open_tokenizer(bundle)
    try:
        generator = Generator(engine, tokenizer, bundle.manifest.spec)
        for case in sorted(every, key=lambda case: case.picture):  # so that a picture is read once
            params = SamplingParams(max_tokens=_MAX_TOKENS, temperature=_TEMPERATURE, seed=case.seed, logprobs=0)
            picture = Picture.of(_drawn(case.picture))
            prompt = build(bundle.manifest.spec, tokenizer, [Turn(case.text, images=(picture,))])
            (completion,) = generator.generate([prompt], params)
            written[case.seed] = Written.of(completion)
    finally:
        engine.close()
    return [written[case.seed] for case in every]


def alike(every: Sequence[Written], reach: int) -> int:
    """Count the answers that are the same as one of those up to ``reach`` places before."""
    return sum(written in every[max(0, number - reach) : number] for number, written in enumerate(every))


@lru_cache(maxsize=PICTURES)
def _drawn(picture: int) -> Image.Image:
    return draw(scene(SEEDS["test"][picture]))


@lru_cache(maxsize=PICTURES)
def _url(picture: int) -> str:
    file = io.BytesIO()
    _drawn(picture).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
