"""A service from its first breath to its last: opened, announced, kept alive, drained, closed.

The order is that of what may go wrong: the address is taken first, then the model is loaded, then the children are
warm; only then it is announced, to people and to systemd. Told to stop, it finishes what runs within its grace time
while it refuses what is new, and only then goes.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from edgekit.runtime.model import Model
from edgekit.serve import logs
from edgekit.serve.app import application
from edgekit.serve.caller import by_token
from edgekit.serve.grammars import Grammars
from edgekit.serve.here import ServiceHere, telling
from edgekit.serve.http import protocol
from edgekit.serve.listener import Listener
from edgekit.serve.listening import url_of, urls_for_others
from edgekit.serve.pictures import Decoder
from edgekit.serve.proof import open_proven
from edgekit.serve.refusal import Refusal
from edgekit.serve.sample import Sample
from edgekit.serve.service import Service
from edgekit.serve.settings import Settings
from edgekit.serve.systemd import notify
from edgekit.serve.tokens import Tokens
from edgekit.serve.transport import Transport
from edgekit.serve.upkeep import renew, verify, watch
from edgekit.serve.ward.desk import Desk, at_desk
from edgekit.serve.ward.keeping import expire, set_aside
from edgekit.serve.ward.removed import forget_removed

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CLOSE_S = 2.0
"""What connections get to take their last bytes."""


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What a service says when it can be asked: its ``url``, those by which ``others`` machines reach it, the ``model``
    and ``bundle``, what it has room for, and whether there are ``tokens`` or ``accounts``, of which all need one then.
    """

    url: str
    others: tuple[str, ...] = ()
    model: str
    bundle: str
    slots: int
    context: int
    tokens: bool
    accounts: bool = False
    loaded_s: float

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What is to be served, where: a ``bundle`` with so many ``slots`` (None: its target's), on a ``listener``, to
    those whom ``tokens`` and the accounts in the folder ``state`` let in, under ``settings``, by a ``transport``; with
    ``samples`` to try."""

    bundle: Path
    slots: int | None
    listener: Listener
    host: str
    tokens: Tokens
    state: Path
    settings: Settings
    transport: Transport = field(default_factory=Transport)
    samples: Sequence[Sample] = ()


def serve(offer: Offer, announce: Callable[[Announcement], None]) -> None:
    """Serve until a signal ends it; where systemd waits for it, or a container, only once its GPU has given a true
    answer. Errors as of the bundle, its engine and :func:`~edgekit.serve.proof.prove`,
    :class:`~edgekit.errors.EngineError` where the engine failed, and :class:`~edgekit.errors.GateRefused` where the
    bundle is damaged, or turned out to be."""
    notify(STATUS="Loading the model")
    begun = time.monotonic()
    with open_proven(offer.bundle, offer.slots) as model:
        asyncio.run(_serve(offer, model, announce, begun))


async def _serve(offer: Offer, model: Model, announce: Callable[[Announcement], None], begun: float) -> None:
    asyncio.get_running_loop().set_exception_handler(logs.note_unhandled)
    async with (
        opened(model, offer.settings) as (service, decoder),
        at_desk(service, decoder, offer.tokens, offer.state, offer.transport.until) as desk,
    ):
        service.samples = offer.samples
        server = Server(service, configuration(desk, offer))
        tls = offer.transport.context is not None
        announcement = Announcement(
            url=url_of(offer.listener, offer.host, tls=tls),
            others=urls_for_others(offer.listener, offer.transport.names(), tls=tls),
            model=service.name,
            bundle=str(offer.bundle),
            slots=model.engine.slots,
            context=model.engine.context,
            tokens=offer.tokens.required,
            accounts=await desk.entrance.has_accounts(),
            loaded_s=round(time.monotonic() - begun, 3),
        )
        upkeep = (
            watch(service, server.end),
            verify(service, server.end),
            renew(offer.transport),
            expire(desk),
            set_aside(desk),
            forget_removed(desk),
        )
        beside = [asyncio.create_task(task) for task in upkeep]
        try:
            with telling(offer.state, ServiceHere(announcement.url, announcement.others)):
                await server.serve_until_stopped(offer.listener, lambda: announce(announcement))
        finally:
            for task in beside:
                task.cancel()
    if service.failure is not None:
        raise service.failure


@asynccontextmanager
async def opened(model: Model, settings: Settings) -> AsyncIterator[tuple[Service, Decoder]]:
    """Yield a service whose children are warm and whose engine's thread runs, and what decodes its pictures."""
    spec = model.bundle.manifest.spec
    decoder = Decoder(spec.image)
    file = model.bundle.file("tokenizer.json")
    grammars = Grammars.open(file, model.tokenizer, spec.decoder.vocab, spec.stop_ids)
    service = Service(model, settings, decoder.picture, grammars)
    try:
        await asyncio.gather(decoder.start(), grammars.start())
        service.engine.start()
        yield service, decoder
    finally:
        await service.engine.close()
        await decoder.close()
        await grammars.close()


def configuration(desk: Desk, offer: Offer) -> uvicorn.Config:
    """Return uvicorn's configuration of a service: what it would say, log and believe by itself is left out."""
    service, is_proxy = desk.service, desk.entrance.callers.is_proxy
    limits = service.limits
    config = uvicorn.Config(
        application(desk, offer.transport.names),
        http=protocol(limits.request_s, limits.connections, is_proxy),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # whom to believe about addresses is ours to say
        server_header=False,
        timeout_graceful_shutdown=round(CLOSE_S),
    )
    config.load()
    logs.quiet()
    offer.tokens.on_removed = lambda token: service.forget(by_token(token).id)
    offer.listener.limit(limits.connections, is_proxy)
    config.ssl = offer.transport.context
    return config


class Server(uvicorn.Server):
    """uvicorn's server, which goes on answering while it drains."""

    def __init__(self, service: Service, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._draining: asyncio.Task[None] | None = None
        self._ready: Callable[[], None] = lambda: None

    async def serve_until_stopped(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Answer on ``listener`` until a signal comes; ``ready`` is called once it can be asked."""
        self._ready = ready
        await self.serve([listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._ready()
        notify(READY=1, STATUS="Serving")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal, and go at once at the second."""
        self._loop.call_soon_threadsafe(self.drain)

    def drain(self) -> None:
        """Begin to stop; asked twice, stop."""
        if self._draining is not None:
            self.should_exit = self.force_exit = True
            return
        notify(STOPPING=1, STATUS="Finishing what runs")
        self._service.stop()
        if live := len(self._service.engine.live):
            grace_s = self._service.limits.grace_s
            logs.log.info("Stopping: %d answers get %g s to end; a second signal ends all at once", live, grace_s)
        self._draining = asyncio.create_task(self._drain())

    def end(self) -> None:
        """Stop at once: nothing that it would answer could be trusted."""
        self._service.stop()
        self._cancel(Refusal(503, "The service failed before the answer was whole.", "service_failed"))

    async def _drain(self) -> None:
        service = self._service
        assert service.stopping_at is not None
        while not service.engine.failed and time.monotonic() < service.stopping_at:
            if all(exchange.ended for exchange in service.exchanges):
                break
            await asyncio.sleep(0.05)
        self._cancel(Refusal(503, "The service stopped before the answer was whole.", "service_stopping"))

    def _cancel(self, reason: Refusal) -> None:
        for exchange in list(self._service.exchanges):
            exchange.cancel(reason)
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Have signals drain, a hang-up among them; what was ignored stays ignored, and nothing is raised again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, self.handle_exit) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
