"""A service of the toy engine, which says what it is told to, one step at a time where a test wants to look between."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image
from starlette.types import ASGIApp

from edgekit.bundle import Bundle, Manifest
from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Logits
from edgekit.errors import InputError
from edgekit.inputs.images import Picture
from edgekit.inputs.kept.picture import KeptPicture, PictureFacts, PictureWarning
from edgekit.inputs.kept.view import View
from edgekit.inputs.prepared import PreparedPicture
from edgekit.recipe import recipe
from edgekit.runtime import Generator
from edgekit.runtime.constraint import Constraint
from edgekit.runtime.model import Model
from edgekit.serve.app import application
from edgekit.serve.engine import EngineThread
from edgekit.serve.grammars import Grammars
from edgekit.serve.service import Service
from edgekit.serve.settings import Limits, Settings
from edgekit.serve.tokens import Tokens
from edgekit.serve.ward.desk import Desk, at_desk
from edgekit.target import target
from tests.fake_engine import IMAGE, STOP, VOCAB, FakeEngine, byte_tokenizer, fake_spec

NOWHERE = Path("/proc/nonexistent")
TEXT = "It is a rib."
TOKENIZER = byte_tokenizer()
DIGEST = "0123456789abcdef" * 4


class Talking(FakeEngine):
    """Answers whatever it is asked with ``text``, a byte a token.

    Where it is ``held``, it stands before each prefill and decode until it is let; ``entered`` counts those begun.
    """

    def __init__(self, text: str = TEXT, *, slots: int = 2, context: int = 256, held: bool = False) -> None:
        super().__init__(slots=slots, context=context, chunk=64)
        self.held = held
        self.entered = 0
        self._script = [*text.encode(), STOP]
        self._read = [0] * slots
        self._steps = threading.Semaphore(0)

    def let(self, steps: int = 1) -> None:
        """Let so many calls go on."""
        for _ in range(steps):
            self._steps.release()

    def go(self) -> None:
        """Hold nothing from now on."""
        self.held = False
        self.let(1)

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        self._stand()
        super().prefill(slot, embeds, start)
        self._read[slot] = start + len(embeds)
        return self._say(slot)

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        self._stand()
        super().decode(tokens, slots)
        return np.stack([self._say(slot) for slot in slots])

    def _stand(self) -> None:
        self.entered += 1
        if self.held:
            assert self._steps.acquire(timeout=20)

    def _say(self, slot: int) -> Logits:
        logits = np.zeros(VOCAB, dtype=np.float32)
        logits[self._script[min(self.valid[slot] - self._read[slot], len(self._script) - 1)]] = 8
        return logits


class FreeForm:
    """A constraint that allows everything."""

    ended = False

    def allowed(self, logits: Logits) -> Logits:
        copy: Logits = logits.copy()
        return copy

    def accept(self, token: int) -> None:
        pass


class Schemas:
    """Stands for what compiles schemas: notes what was asked for, and refuses what says "wrong"."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []

    async def constraint(self, schema: Mapping[str, Any]) -> Constraint:
        self.asked.append(schema)
        if "wrong" in schema:
            raise InputError("The schema can't be compiled", "Make it simpler.")
        return FreeForm()


TOY_FACTS = PictureFacts(width=4, height=3, frames=1, bits=8, colour=False, modality="CR", body_part="CHEST")


class ToyPictures:
    """Stands for the child that decodes what is kept: a file of one byte, its shade, stays what it is; "?" is none, and
    "c" is in colour."""

    async def keep(self, content: bytes) -> KeptPicture:
        if content[:1] == b"?":
            raise InputError("The image is no picture", "Give one.")
        return toy_kept(content)

    async def masked(self, content: bytes, rectangles: Sequence[tuple[int, int, int, int]]) -> KeptPicture:
        return toy_kept(content[:1] + str(list(rectangles)).encode())

    async def view(self, content: bytes, frame: int | None, side: int) -> View | bytes:
        if content == b"c":
            return b"PNG of c"
        return View(pixels=np.full((3, 4), content[0], np.uint16), function="LINEAR", window=(40.0, 400.0))

    async def png(self, content: bytes, frame: int | None, side: int) -> bytes:
        return b"PNG of " + content


def toy_kept(file: bytes, facts: PictureFacts = TOY_FACTS) -> KeptPicture:
    """Return a picture as it is kept."""
    return KeptPicture(file, "image/png", facts, ("A note.",), (PictureWarning("burned_in", ("modality",)),))


@dataclass(frozen=True, kw_only=True)
class Toy:
    """A service with its application, and what stands behind it."""

    service: Service
    desk: Desk
    app: ASGIApp
    engine: Talking
    schemas: Schemas
    decoded: list[bytes]


@asynccontextmanager
async def toy(
    engine: Talking | None = None,
    *,
    settings: Settings | None = None,
    tokens: Path = NOWHERE,
    state: Path = NOWHERE,
    system_turn: str = "",
    **limits: Any,
) -> AsyncIterator[Toy]:
    """Run a service until the block's end; pictures are files of one byte, their shade, and "?" is none.

    What is kept lies in the folder ``state``.
    """
    engine = engine or Talking()
    settings = replace(settings or Settings(), limits=Limits(**limits))
    decoded: list[bytes] = []
    schemas = Schemas()

    async def decode(file: bytes) -> PreparedPicture:
        decoded.append(file)
        if file == b"?":
            raise InputError("The image is no picture", "Give one.")
        return prepared(file[0])

    service = Service(model_of(engine, system_turn), settings, decode, cast(Grammars, schemas))
    service.engine.start()
    try:
        async with at_desk(service, ToyPictures(), Tokens.load(tokens), state) as desk:
            app = application(desk)
            try:
                yield Toy(service=service, desk=desk, app=app, engine=engine, schemas=schemas, decoded=decoded)
            finally:
                engine.go()
    finally:
        await service.engine.close()


@asynccontextmanager
async def thread(engine: Talking, clock: Callable[[], float] | None = None) -> AsyncIterator[EngineThread]:
    """Run the engine's thread alone until the block's end."""
    generator = Generator(engine, TOKENIZER, fake_spec())
    running = EngineThread(generator) if clock is None else EngineThread(generator, clock)
    running.start()
    try:
        yield running
    finally:
        engine.go()
        await running.close()


def prepared(shade: int) -> PreparedPicture:
    picture = Picture.of(Image.new("RGB", (4, 4), (shade, shade, shade)))
    return PreparedPicture(picture.pixels(IMAGE), IMAGE, picture.digest, (f"Shade {shade}.",))


def model_of(engine: FakeEngine, system_turn: str = "") -> Model:
    """A model called "toy"; its template writes questions as they are, between "Q" and "A"."""
    spec = fake_spec()
    template = replace(spec.template, user="Q{}", opening="A", system_turn=system_turn)
    spec = replace(spec, template=template, vision=replace(spec.vision, image_size=6), licence="MIT")
    manifest = Manifest(
        format=1,
        edgekit="1",
        source="toy",
        spec=spec,
        recipe=recipe("q4"),
        target=target("cpu"),
        context=engine.context,
        forced=(),
        files={},
    )
    return Model.of(Bundle(Path("/proc/nonexistent"), manifest, DIGEST), TOKENIZER, engine)
