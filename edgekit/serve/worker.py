"""A warm child process that does what may go wrong with what strangers send: one message in, one answer out.

It has limits of memory and of time; whatever happens to it, the service goes on, the message it had fails with a reason
of three, and another child is warm soon. The module that it runs ends in
:func:`~edgekit.serve.limited.answer_messages`.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Literal, TypeAlias

from edgekit.child import environment, python
from edgekit.errors import EdgeKitError
from edgekit.serve.limited import ANSWER, ERROR, LIMITS, MEMORY, READY, receive, send
from edgekit.units import MIB

Reason: TypeAlias = Literal["time", "memory", "died"]

START_S = 60.0
"""A child may take so long to be ready: Python and its libraries, read from a slow card."""
MOST_BYTES = 64 * MIB
"""Longer answers are not believed; a picture for a tower of 1024 pixels a side takes 12 MiB."""

_log = logging.getLogger(__name__)


class WorkerFailure(EdgeKitError):
    """A child gave no answer: it took too long ("time"), too much ("memory"), or ended ("died")."""

    def __init__(self, module: str, reason: Reason) -> None:
        ends = {"time": "took too long", "memory": "took too much memory", "died": "ended"}
        super().__init__(f"The process that runs {module} {ends[reason]}", "Try again; see the service's log.")
        self.reason: Reason = reason


class Worker:
    """Keeps one child warm that runs ``module`` with ``arguments``, and asks it one thing at a time.

    ``memory_bytes`` is what an answer may take beyond what the child holds when it is ready, ``deadline_s`` the time
    for one answer, without waiting for those before it or for the child's start.

    A thread of its own talks to the child. So messages come in their order and whole, also where who asked has gone.
    """

    def __init__(self, module: str, arguments: Sequence[str] = (), *, memory_bytes: int, deadline_s: float) -> None:
        self._module = module
        self._command = python(module, *arguments)
        self._limits = LIMITS.pack(memory_bytes, deadline_s)
        self._deadline_s = deadline_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=module)
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False

    async def start(self) -> None:
        """Wait until the child is ready; :class:`WorkerFailure` where it does not start."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._warm)

    async def call(self, payload: bytes) -> bytes:
        """Return the child's answer to ``payload``; :class:`WorkerFailure` where it gives none.

        Who is cancelled while waiting has asked nothing; what the child has begun, it ends.
        """
        if self._closed:
            raise WorkerFailure(self._module, "died")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, payload)

    async def close(self) -> None:
        """End the child, whatever it does; who waits for an answer gets a :class:`WorkerFailure`."""
        if self._closed:
            return
        self._closed = True
        if child := self._child:
            child.kill()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)
        self._thread.shutdown()

    def _answer(self, payload: bytes) -> bytes:
        """On the thread, as all that follows."""
        try:
            return self._ask(self._warm(), payload, self._deadline_s, ANSWER)
        except WorkerFailure:
            if not self._closed:
                self._thread.submit(self._warm)
            raise

    def _warm(self) -> subprocess.Popen[bytes]:
        """The child, ready: the same as before where it still lives."""
        if self._child and self._child.poll() is None:
            return self._child
        self._end()
        if self._closed:
            raise WorkerFailure(self._module, "died")
        pipe = subprocess.PIPE
        try:
            # In a session of its own: an interrupt at a terminal is for the service, which first ends its work.
            self._child = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, bufsize=0, env=environment(), start_new_session=True
            )
        except OSError as error:
            raise self._failure("died", type(error).__name__) from error
        self._ask(self._child, self._limits, START_S, READY)
        return self._child

    def _ask(self, child: subprocess.Popen[bytes], message: bytes, deadline_s: float, kind: bytes) -> bytes:
        """The rest of an answer of this ``kind``; else the child is ended, for a reason."""
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            child.kill()

        timer = threading.Timer(deadline_s, expire)
        timer.start()
        try:
            answer = _exchange(child, message)
        except BaseException:
            self._end()
            raise
        finally:
            timer.cancel()
            timer.join()
        if expired.is_set():
            raise self._failure("time")
        if answer[:1] != kind:
            raise self._failure("memory" if answer[:1] == MEMORY else "died", _exception(answer))
        return answer[1:]

    def _failure(self, reason: Reason, exception: str = "") -> WorkerFailure:
        self._end()
        if not self._closed:
            _log.warning("The process that runs %s has to start again: %s", self._module, exception or reason)
        return WorkerFailure(self._module, reason)

    def _end(self) -> None:
        if child := self._child:
            child.kill()
            with child:  # closes its pipes, and waits
                self._child = None


def _exchange(child: subprocess.Popen[bytes], message: bytes) -> bytes:
    """A message's answer; b"" where the child ended, or sends what is none."""
    assert child.stdin
    assert child.stdout
    with suppress(BrokenPipeError):  # it may say why it did not read on
        send(child.stdin.fileno(), message)
    try:
        return receive(child.stdout.fileno(), MOST_BYTES)
    except (EOFError, ValueError):
        return b""


def _exception(answer: bytes) -> str:
    """The type of the exception that an answer tells of; its text stays where it was."""
    name = answer[1:81].decode("ascii", "replace") if answer[:1] == ERROR else ""
    return name if name.isidentifier() else ""
