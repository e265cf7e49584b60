"""A TLS server on a free port, and a client that trusts one authority: OpenSSL judges what was made."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeAlias

import pytest

from edgekit.serve.tls.names import Names, parse_names

Serve: TypeAlias = Callable[[ssl.SSLContext], int]


@pytest.fixture
def ward() -> Names:
    """What a device is called in these tests."""
    return parse_names(["ward7", "ward7.local", "localhost"], ["127.0.0.1", "::1", "10.0.4.7"])


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve with a context until the test ends, and return the port."""
    with ExitStack() as stack:
        yield lambda context: stack.enter_context(serving(context))


@contextmanager
def serving(context: ssl.SSLContext) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener, context))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with suppress(OSError), connection, context.wrap_socket(connection, server_side=True) as secured:
            secured.sendall(b"hello")


@pytest.fixture
def connect() -> Callable[[int, Path, str], bytes]:
    """Connect to a port as ``name``, trusting the authority of a file alone: the certificate that the server shows."""

    def connected(port: int, authority: Path, name: str) -> bytes:
        context = ssl.create_default_context(cafile=authority)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        with (
            socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
            context.wrap_socket(connection, server_hostname=name) as secured,
        ):
            assert secured.recv(5) == b"hello"
            certificate = secured.getpeercert(binary_form=True)
            assert certificate
            return certificate

    return connected


def at(text: str) -> datetime:
    """A moment of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
