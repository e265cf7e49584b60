"""The child's side of a :class:`~edgekit.serve.worker.Worker`: limits on itself, then an answer to each message.

A message is its length (8 bytes, little endian) and as many bytes. The first that a child gets are its limits; it says
:data:`READY`, and answers each of the others by one that begins with :data:`ANSWER`. Where it can't, it says
:data:`MEMORY`, or :data:`ERROR` and the exception's type, and ends: what it holds by then, nobody knows.

What libraries print goes nowhere: a decoder's words may be a sender's, and stdout belongs to the messages.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

READY, ANSWER, MEMORY, ERROR = b"r", b"=", b"m", b"e"
LIMITS = struct.Struct("<Qd")
"""Bytes that answering may take beyond what the child holds when it is ready, and seconds that an answer may take."""
_LENGTH = struct.Struct("<Q")
_STDIN, _STDOUT, _STDERR = range(3)


def send(descriptor: int, message: bytes) -> None:
    """Write a whole message; :class:`BrokenPipeError` where nobody reads it."""
    for part in (_LENGTH.pack(len(message)), message):
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def receive(descriptor: int, most_bytes: int | None = None) -> bytes:
    """Read a whole message.

    :class:`EOFError` where its sender has ended, :class:`ValueError` for a length above ``most_bytes``.
    """
    (length,) = _LENGTH.unpack(_read(descriptor, _LENGTH.size))
    if most_bytes is not None and length > most_bytes:
        raise ValueError(f"a message of {length} bytes")
    return bytes(_read(descriptor, length))


def _read(descriptor: int, length: int) -> bytearray:
    message = bytearray(length)
    rest = memoryview(message)
    while rest:
        count = os.readv(descriptor, [rest])
        if not count:
            raise EOFError
        rest = rest[count:]
    return message


def answer_messages(handle: Callable[[bytes], bytes]) -> None:
    """Answer each message by ``handle``, until the parent closes stdin, or has ended, or an answer fails.

    Call it when all is imported that answering needs: the limit of memory counts from here.
    """
    answers = os.dup(_STDOUT)
    memory_bytes, deadline_s = LIMITS.unpack(receive(_STDIN, LIMITS.size))
    _settle()
    _limit(memory_bytes)
    send(answers, READY)
    kind = ANSWER
    while kind == ANSWER:
        try:
            answer = _answer(handle, deadline_s)
        except EOFError:
            return
        kind = answer[:1]
        send(answers, answer)


def _answer(handle: Callable[[bytes], bytes], deadline_s: float) -> bytes:
    try:
        message = receive(_STDIN)
        # The parent ends what takes too long. This is for when there is none any more, and holds in a library's code.
        signal.setitimer(signal.ITIMER_REAL, 2 * deadline_s)
        return ANSWER + handle(message)
    except EOFError:
        raise
    except MemoryError:
        return MEMORY
    except Exception as error:
        return ERROR + type(error).__name__.encode()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _settle() -> None:
    """Say nothing but messages, live as long as the parent, and be what the kernel ends first when memory is short."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (_STDOUT, _STDERR):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    # systemd sends it to all at once, and the service ends its work first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _end_with_parent() -> None:
    hung_up = select.poll()
    hung_up.register(_STDIN, 0)
    hung_up.poll()
    os._exit(1)


def _limit(memory_bytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + memory_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
