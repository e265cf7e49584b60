"""A child that does on request what goes wrong with decoders, so that no input has to: it stands in for them.

Run by :class:`edgekit.serve.worker.Worker` as ``tests.standing_in``. A request is a word and what it needs: "echo
TEXT", "sleep SECONDS", "allocate BYTES", "hold BYTES" (and keep them), "raise TEXT", "exit", "print TEXT", "pid",
"size". The argument ``half`` makes it say a message's half and end; ``huge`` announce more than is believed; ``never``
makes it never ready, ``broken`` end before it is.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable

import psutil

from edgekit.serve.limited import LIMITS, READY, answer_messages, receive, send

_kept: list[bytearray] = []


def _sleep(seconds: str) -> str:
    time.sleep(float(seconds))
    return f"slept {seconds}"


def _keep(count: str) -> str:
    _kept.append(bytearray(int(count)))
    return str(len(_kept))


def _fail(text: str) -> str:
    raise LookupError(text)


def _print(text: str) -> str:
    for descriptor in (1, 2):
        os.write(descriptor, text.encode())
    return "printed"


DOES: dict[str, Callable[[str], str]] = {
    "echo": lambda text: text,
    "sleep": _sleep,
    "allocate": lambda count: str(len(bytearray(int(count)))),
    "hold": _keep,
    "raise": _fail,
    "exit": lambda status: os._exit(int(status or 3)),
    "print": _print,
    "pid": lambda _: str(os.getpid()),
    "session": lambda _: str(os.getsid(0)),
    "size": lambda _: str(psutil.Process().memory_info().rss),
    "core": lambda _: str(resource.getrlimit(resource.RLIMIT_CORE)),
}


def handle(message: bytes) -> bytes:
    """Do what a request says: its last line, where a decoder's has another before it."""
    word, _, rest = message.rpartition(b"\n")[2].decode().partition(" ")
    return DOES[word](rest).encode()


def _misbehave(way: str) -> None:
    """Be ready, read one message and answer it by what is none."""
    receive(0, LIMITS.size)
    send(1, READY)
    receive(0)
    os.write(1, (8).to_bytes(8, "little") + b"=hal" if way == "half" else (2**40).to_bytes(8, "little"))
    if way == "huge":
        time.sleep(60)


def main(way: str = "") -> None:
    """Stand in, in one ``way`` or another."""
    if way == "never":
        time.sleep(60)
    elif way in ("half", "huge"):
        _misbehave(way)
    elif way != "broken":
        answer_messages(handle)


if __name__ == "__main__":
    main(*sys.argv[1:])
