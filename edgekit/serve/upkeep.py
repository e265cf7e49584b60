"""What a service does beside answering: it compares its bundle with its hashes, renews certificates, feeds a watchdog.

Each is a task that lasts as long as the service, or until it finds that the service must end; ``end`` is called then.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from edgekit.bundle import Bundle
from edgekit.engines.verify import Verified, verify_everything
from edgekit.errors import BundleError, EdgeKitError, EngineError, GateRefused
from edgekit.serve.logs import types_of
from edgekit.serve.service import Service
from edgekit.serve.systemd import notify, watchdog_s
from edgekit.serve.threads import on_own_thread
from edgekit.serve.transport import Transport

log = logging.getLogger("edgekit.serve")

TELL_S = 5.0
"""How often systemd hears of the service, where it does not want to more often."""
STUCK_S = 300.0
"""A step of the engine that takes longer will not end: the largest model's longest, on the slowest processor, takes a
fraction of it."""
RENEW_S = 1800.0
AGAIN_S = 600.0
"""Until a comparison that could not be made is tried again."""
SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
IDLE_NICE = 19


async def verify(service: Service, end: Callable[[], None]) -> None:
    """Compare every file of the bundle with its hash, behind everything else that the processor has to do.

    One flipped bit changes answers here and there, which nobody would see: a service of a damaged bundle ends, refused
    as by a gate, since it would be damaged when it starts again. What says nothing of the bundle (a file that could not
    be opened because too many are) is logged, and all is compared later. Where the service ends before, so does this.
    """
    while True:
        try:
            verified = await _verified(service.model.bundle)
        except EdgeKitError as error:
            if not _is_passing(error):
                service.failure = GateRefused(error.message, error.hint) if isinstance(error, BundleError) else error
                end()
                return
            log.error("%s. The bundle is compared again in %.0f minutes", error.message, AGAIN_S / 60)
        except Exception as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else types_of(error)
            log.error("The bundle can't be compared: %s. This is tried again in %.0f minutes", reason, AGAIN_S / 60)
        else:
            log.info("Every file is what it was when it was written: %d, in %.1f s", verified.files, verified.seconds)
            return
        await asyncio.sleep(AGAIN_S)


async def _verified(bundle: Bundle) -> Verified:
    stopped = threading.Event()
    try:  # on a thread of its own: one that is put behind all others stays there for good
        return await on_own_thread(partial(_verify_last, bundle, stopped), "verify")
    finally:
        stopped.set()


def _is_passing(error: EdgeKitError) -> bool:
    """Whether a file could not be read for want of something that others hold just now."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in SHORT


class _Stopped(Exception):
    """Nobody wants to know any more."""


def _verify_last(bundle: Bundle, stopped: threading.Event) -> Verified:
    def go_on(stage: str, done: int, total: int) -> None:
        if stopped.is_set():
            raise _Stopped

    with suppress(OSError):  # where threads have no priority of their own; those that it starts have the same
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), IDLE_NICE)
    return verify_everything(bundle, go_on)


async def renew(transport: Transport) -> None:
    """Look now and then whether a certificate is due: also soon after a clock was set right."""
    while True:
        await asyncio.sleep(RENEW_S)
        await transport.renew()


async def watch(service: Service, end: Callable[[], None]) -> None:
    """Feed systemd's watchdog as long as the engine's thread goes on, and end the service where that has failed. One
    that is stuck is logged, for where no watchdog ends it.
    """
    every_s = min(TELL_S, (watchdog_s() or 2 * TELL_S) / 2)
    stuck = False
    while not service.engine.failed:
        await asyncio.sleep(every_s)
        silent_s = service.engine.silent_s
        if silent_s >= STUCK_S and not stuck:
            log.error(
                "The engine has been at one step for %.0f s, and answers nobody. Start the service again", silent_s
            )
        stuck = silent_s >= STUCK_S
        if not stuck:
            waiting = len(service.engine.waiting)
            status = f"{len(service.engine.live) - waiting} answers on their way, {waiting} waiting"
            notify(WATCHDOG=1, **({} if service.stopping_at else {"STATUS": status}))
    service.failure = EngineError("The engine failed while serving", "Start the service again; --verbose shows more.")
    end()
