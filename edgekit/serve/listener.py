"""A listening socket that ends connections past a limit as soon as they are there.

The protocol (:mod:`edgekit.serve.http`) bounds the connections that it hears of, and says so. Under TLS it hears of one
once both sides have agreed: who connects and says nothing more would be counted nowhere, and take all descriptors.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from edgekit.serve.address import counted_as

BESIDE = 16
"""So many more connections than the protocol bears are taken, so that it can say that there are too many."""


class Listener(socket.socket):
    """A socket that accepts connections within limits, once it has some."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._connections: int | None = None
        self._is_proxy: Callable[[str], bool] = lambda address: False
        self._accepted: list[tuple[socket.socket, str]] = []

    def limit(self, connections: int, is_proxy: Callable[[str], bool]) -> None:
        """Have so many ``connections`` open at once, and half as many from one address or network of IPv6, unless that
        ``is_proxy``; a few more of each.
        """
        self._connections, self._is_proxy = connections, is_proxy

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection; :class:`ConnectionAbortedError` where there are too many: event loops go on."""
        connection, address = super().accept()
        self._accepted = [(other, host) for other, host in self._accepted if other.fileno() >= 0]
        host = str(address[0])
        if self._connections is not None and self._are_too_many(host, self._connections):
            connection.close()
            raise ConnectionAbortedError(f"{len(self._accepted)} connections are open")
        self._accepted.append((connection, counted_as(host)))
        return connection, address

    def _are_too_many(self, host: str, connections: int) -> bool:
        if len(self._accepted) >= connections + BESIDE:
            return True
        counted = counted_as(host)
        own = sum(other == counted for _, other in self._accepted)
        return own >= connections // 2 + BESIDE and not self._is_proxy(host)
