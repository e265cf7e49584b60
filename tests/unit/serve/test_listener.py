"""Connections that nobody hears of yet are bounded, too."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from edgekit.serve import listener as module
from edgekit.serve.listener import BESIDE, Listener
from tests.asgi import on_loop, until


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    with ExitStack() as clients:
        yield clients


def connect(listener: Listener, clients: ExitStack, address: str = "127.0.0.1") -> socket.socket:
    """A client of this listener's, from one of loopback's addresses."""
    return clients.enter_context(socket.create_connection(listener.getsockname(), 5, source_address=(address, 0)))


def test_one_address_has_half_of_the_connections_and_a_few(listener: Listener, clients: ExitStack) -> None:
    listener.limit(8, lambda address: address == "127.0.0.3")
    accepted = []
    for _ in range(4 + BESIDE):
        connect(listener, clients)
        accepted.append(listener.accept()[0])
    refused = connect(listener, clients)
    with pytest.raises(ConnectionAbortedError):
        listener.accept()
    assert refused.recv(1) == b"", "closed at once"
    connect(listener, clients, "127.0.0.2")
    clients.enter_context(listener.accept()[0])
    accepted.pop().close()
    connect(listener, clients)
    accepted.append(listener.accept()[0])
    for connection in accepted:
        connection.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.3"])
def test_all_addresses_together_have_all_of_them_and_a_few_proxies_among_them(
    listener: Listener, clients: ExitStack, address: str
) -> None:
    listener.limit(BESIDE, lambda address: address == "127.0.0.3")
    for number in range(2 * BESIDE):
        connect(listener, clients, "127.0.0.3" if number % 2 else "127.0.0.2")
        clients.enter_context(listener.accept()[0])
    connect(listener, clients, address)
    with pytest.raises(ConnectionAbortedError):
        listener.accept()


def test_a_network_of_ipv6_has_as_many_as_one_address(
    listener: Listener, clients: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "counted_as", lambda address: "2001:db8::/64")
    listener.limit(8, lambda address: False)
    for number in range(4 + BESIDE):
        connect(listener, clients, f"127.0.0.{number + 1}")
        clients.enter_context(listener.accept()[0])
    connect(listener, clients, "127.0.0.99")
    with pytest.raises(ConnectionAbortedError):
        listener.accept()


def test_without_a_limit_all_are_accepted(listener: Listener, clients: ExitStack) -> None:
    for _ in range(3 * BESIDE):
        connect(listener, clients)
        clients.enter_context(listener.accept()[0])


@on_loop
async def test_who_never_agrees_on_tls_leaves_descriptors_to_others() -> None:
    clients = ExitStack()
    with clients, Listener() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.limit(8, lambda address: False)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, sock=listener, ssl=context)
        silent = [connect(listener, clients) for _ in range(3 * BESIDE)]
        await until(lambda: len(listener._accepted) == 4 + BESIDE)
        await asyncio.sleep(0.05)
        assert len(listener._accepted) == 4 + BESIDE
        for client in silent:
            client.close()
        await until(lambda: all(connection.fileno() < 0 for connection, _ in listener._accepted))
        server.close()
