"""Load a server that speaks OpenAI's API, with questions about pictures or without: any server, by the same program.

    python -m tests.benchmarks.load URL [--callers 8] [--requests 256] [--images 1] [--stream] [--token TOKEN …]

Each caller asks, waits for its answer, and asks again; with several tokens, callers take them in turn. Every question
differs from the others, its pictures are of several dozen phantoms. All is written down before the clock starts.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from edgekit.phantom import draw, scene
from edgekit.phantom.split import SEEDS
from tests.benchmarks.load_figures import Figures, Spread, figures
from tests.wire import Connection, Reply

PICTURES = 48


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--requests", type=int, default=256)
    parser.add_argument("--images", type=int, default=0, help="pictures in each question")
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--token", action="append", default=[], help="may be given several times")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    fields = {"max_tokens": arguments.max_tokens, **({"stream": True} if arguments.stream else {})}
    bodies = [question(number, arguments.images, fields) for number in range(arguments.requests)]
    replies = asyncio.run(load(arguments.url, bodies, arguments.callers, arguments.token))
    result = figures(replies, arguments.callers)
    print(json.dumps(result.document()) if arguments.json else table(result))


async def load(url: str, bodies: Iterable[bytes], callers: int, tokens: Sequence[str] = ()) -> list[Reply]:
    """Send ``bodies`` by so many ``callers``, each of which waits for an answer before it asks again."""
    queue, replies = iter(bodies), list[Reply]()

    async def ask(token: str) -> None:
        connection = Connection(url, {"authorization": f"Bearer {token}"} if token else {})
        for body in queue:
            replies.append(await connection.ask(body))
        connection.close()

    names = tokens or [""]
    await asyncio.gather(*(ask(names[number % len(names)]) for number in range(callers)))
    return replies


def question(number: int, images: int, fields: Mapping[str, Any]) -> bytes:
    """Write a request with so many pictures; each ``number`` asks something else."""
    text = f"What do you see? ({number})"
    parts = [
        {"type": "image_url", "image_url": {"url": picture((number + index) % PICTURES)}} for index in range(images)
    ]
    content: Any = [*parts, {"type": "text", "text": text}] if parts else text
    more = {"stream_options": {"include_usage": True}} if fields.get("stream") else {}
    return json.dumps({"messages": [{"role": "user", "content": content}], **more, **fields}).encode()


@lru_cache(maxsize=PICTURES)
def picture(number: int) -> str:
    """A phantom as the data URL of a PNG."""
    file = io.BytesIO()
    draw(scene(SEEDS["test"][number])).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def table(result: Figures) -> str:
    """Write figures for people."""
    return "\n".join(_lines(result))


def _lines(result: Figures) -> Iterator[str]:
    yield f"{result.requests} requests by {result.callers} callers in {result.seconds:.1f} s"
    yield f"{result.requests_per_s:.1f} requests/s, {result.tokens_per_s:.0f} tokens/s"
    for name, spread in (("first text", result.first), ("whole answer", result.total)):
        if isinstance(spread, Spread):
            yield f"{name}: p50 {spread.p50:.1f}, p95 {spread.p95:.1f}, p99 {spread.p99:.1f} ms"
    if result.places.told:
        yield f"places in the queue: {result.places.true} of {result.places.told} true"
    yield "errors: " + (", ".join(f"{count} × {code}" for code, count in sorted(result.errors.items())) or "none")


if __name__ == "__main__":
    main()
