"""Messages between a worker and its child, over a pipe."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from edgekit.child import environment, python
from edgekit.serve.limited import ANSWER, ERROR, LIMITS, MEMORY, READY, receive, send
from edgekit.units import MIB

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Its reading and its writing end."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):  # a test may have closed it
            os.close(end)


@pytest.mark.parametrize("length", [0, 1, 5 * MIB])
def test_a_message_longer_than_a_pipe_holds_arrives(pipe: Pipe, length: int) -> None:
    message = os.urandom(length)
    writer = threading.Thread(target=send, args=(pipe[1], message))
    writer.start()
    assert receive(pipe[0]) == message
    writer.join()


def test_a_half_message_is_no_message(pipe: Pipe) -> None:
    os.write(pipe[1], (8).to_bytes(8, "little") + b"half")
    os.close(pipe[1])
    with pytest.raises(EOFError):
        receive(pipe[0])


def test_a_length_is_believed_up_to_a_limit(pipe: Pipe) -> None:
    send(pipe[1], b"abcd")
    send(pipe[1], b"abcde")
    assert receive(pipe[0], 4) == b"abcd"
    with pytest.raises(ValueError, match="5 bytes"):
        receive(pipe[0], 4)


def conversation(*messages: bytes) -> list[bytes]:
    """What the stand-in answers to messages, before it has ended."""
    pipes = subprocess.PIPE
    with subprocess.Popen(
        python("tests.standing_in"), stdin=pipes, stdout=pipes, stderr=pipes, bufsize=0, env=environment()
    ) as child:
        assert child.stdin
        assert child.stdout
        assert child.stderr
        send(child.stdin.fileno(), LIMITS.pack(64 * MIB, 5.0))
        answers = [receive(child.stdout.fileno())]
        for message in messages:
            send(child.stdin.fileno(), message)
            answers.append(receive(child.stdout.fileno()))
        child.stdin.close()
        assert child.stdout.read() == b"", "nothing else is said"
        assert child.stderr.read() == b""
    return answers


def test_what_libraries_print_is_no_part_of_the_messages() -> None:
    assert conversation(b"print a decoder's words", b"echo a") == [READY, ANSWER + b"printed", ANSWER + b"a"]


def test_what_fails_is_told_by_its_kind_alone() -> None:
    assert conversation(b"raise a sender's words") == [READY, ERROR + b"LookupError"]
    assert conversation(b"allocate %d" % (128 * MIB)) == [READY, MEMORY]


def test_a_child_leaves_no_core_behind() -> None:
    assert conversation(b"core") == [READY, ANSWER + b"(0, 0)"]


def test_what_nobody_waits_for_any_more_ends_by_itself() -> None:
    pipes = subprocess.PIPE
    command = python("tests.standing_in")
    with subprocess.Popen(command, stdin=pipes, stdout=pipes, bufsize=0, env=environment()) as child:
        assert child.stdin
        assert child.stdout
        send(child.stdin.fileno(), LIMITS.pack(64 * MIB, 0.2))
        assert receive(child.stdout.fileno()) == READY
        send(child.stdin.fileno(), b"sleep 60")
        assert child.wait(timeout=10) == -14, "by its own alarm"
