"""A service in a thread of the test's process, over real sockets: with the embedded model, or any other bundle's.

Pictures are decoded in the process itself, and no schemas compiled, unless a test wants the children: what those do is
tested by itself.
"""

from __future__ import annotations

import asyncio
import base64
import io
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
from PIL import Image

from edgekit.bundle import Bundle
from edgekit.engines.base import Engine, Logits
from edgekit.engines.open import open_engine
from edgekit.inputs.images import load_image
from edgekit.inputs.kept import view as views
from edgekit.inputs.kept.keep import keep, masked
from edgekit.inputs.kept.mask import Rectangle
from edgekit.inputs.kept.picture import KeptPicture
from edgekit.inputs.kept.view import View
from edgekit.inputs.prepared import PreparedPicture
from edgekit.runtime.constraint import Constraint
from edgekit.runtime.model import Model, open_tokenizer
from edgekit.serve.grammars import Grammars
from edgekit.serve.listening import listen, url_of
from edgekit.serve.server import Offer, Server, configuration
from edgekit.serve.service import Service
from edgekit.serve.settings import Settings
from edgekit.serve.tokens import Tokens
from edgekit.serve.ward.desk import at_desk


@dataclass(frozen=True)
class Served:
    """A running service: its address, and what tests look into."""

    url: str
    service: Service
    server: Server
    loop: asyncio.AbstractEventLoop

    def client(self, token: str = "", **more: Any) -> httpx.Client:
        """Return a client that knows the address."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers | more.pop("headers", {}), timeout=60, **more)

    def ask(self, text: str = "What do you see?", *images: bytes, **fields: Any) -> httpx.Response:
        """Ask one question."""
        with self.client() as client:
            return client.post("/v1/chat/completions", json=question(text, *images, **fields))

    def on_loop(self, work: Callable[[], Any]) -> Any:
        """Run ``work`` where the service runs, and return what it returns."""
        result: Any = None
        done = threading.Event()

        def run() -> None:
            nonlocal result
            try:
                result = work()
            finally:
                done.set()

        self.loop.call_soon_threadsafe(run)
        assert done.wait(10)
        return result


def question(text: str, *images: bytes, **fields: Any) -> dict[str, Any]:
    """Return the body of a request: one question, with pictures."""
    parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in images]
    content: Any = [*parts, {"type": "text", "text": text}] if parts else text
    return {"messages": [{"role": "user", "content": content}], "max_tokens": 8, **fields}


def data_url(file: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(file).decode()


def png(seed: int, side: int = 48) -> bytes:
    """Return a picture of noise as a file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


class Slow:
    """An engine that takes ``step_s`` seconds more for each token, so that a test can look in between."""

    def __init__(self, engine: Engine, step_s: float = 0.02) -> None:
        self._engine = engine
        self._step_s = step_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        time.sleep(self._step_s)
        return self._engine.decode(tokens, slots)


class Here:
    """What is kept of pictures, made in this process."""

    async def keep(self, content: bytes) -> KeptPicture:
        return keep(content)

    async def masked(self, content: bytes, rectangles: Sequence[tuple[int, int, int, int]]) -> KeptPicture:
        return masked(content, [Rectangle(*rectangle) for rectangle in rectangles])

    async def view(self, content: bytes, frame: int | None, side: int) -> View | bytes:
        return views.view(content, frame, side)

    async def png(self, content: bytes, frame: int | None, side: int) -> bytes:
        return views.png(content, frame, side)


class NoGrammars:
    """Stands for what compiles schemas, where a test has none."""

    async def constraint(self, schema: Mapping[str, Any]) -> Constraint:
        raise AssertionError("no schema was expected")


@contextmanager
def serving(
    bundle: Bundle,
    settings: Settings | None = None,
    *,
    slots: int = 4,
    tokens: Path | None = None,
    state: Path = Path("/proc/nonexistent"),
    engine: Callable[[Engine], Any] = lambda engine: engine,
    decode: Callable[[bytes], Awaitable[PreparedPicture]] | None = None,
    grammars: Grammars | None = None,
) -> Iterator[Served]:
    """Serve ``bundle`` until the block's end; ``engine`` may put another in the place of the bundle's own."""
    opened = engine(open_engine(bundle, slots))
    model = Model.of(bundle, open_tokenizer(bundle), opened)
    spec = bundle.manifest.spec.image

    async def prepare(file: bytes) -> PreparedPicture:
        return PreparedPicture.of(load_image(file), spec)

    started = threading.Event()
    box: list[Served | BaseException] = []
    listener = listen("127.0.0.1", 0)
    offer = Offer(
        bundle=bundle.path,
        slots=slots,
        listener=listener,
        host="127.0.0.1",
        tokens=Tokens.load(tokens or Path("/proc/nonexistent")),
        state=state,
        settings=settings or Settings(),
    )

    async def run() -> None:
        service = Service(model, offer.settings, decode or prepare, grammars or cast(Grammars, NoGrammars()))
        service.engine.start()
        try:
            async with at_desk(service, Here(), offer.tokens, state) as desk:
                server = Server(service, configuration(desk, offer))
                url = url_of(listener, "127.0.0.1", tls=False)
                box.append(Served(url, service, server, asyncio.get_running_loop()))
                await server.serve_until_stopped(listener, started.set)
        finally:
            await service.engine.close()

    def main() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            box.insert(0, error)
            started.set()

    thread = threading.Thread(target=main, daemon=True)
    thread.start()
    assert started.wait(30)
    served = box[0]
    assert isinstance(served, Served), served
    try:
        yield served
    finally:
        if thread.is_alive():
            served.loop.call_soon_threadsafe(served.server.drain)
            thread.join(2)
            if thread.is_alive():
                served.loop.call_soon_threadsafe(served.server.drain)
        thread.join(30)
        assert not thread.is_alive()
        opened.close()
