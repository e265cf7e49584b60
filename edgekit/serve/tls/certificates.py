"""What a running service shows its callers: the device's certificate, renewed and loaded while it serves."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from edgekit.config.site import locked
from edgekit.errors import ConfigError, EdgeKitError
from edgekit.serve.threads import on_own_thread
from edgekit.serve.tls.authority import Authority, private_file, read_authority
from edgekit.serve.tls.clock import now
from edgekit.serve.tls.leaf import Leaf, leaf_file, read_leaf, write_leaf
from edgekit.serve.tls.names import Names, device_names
from edgekit.serve.tls.pem import to_pem
from edgekit.serve.tls.renew import Due, examine, next_leaf

_log = logging.getLogger(__name__)


def server_context(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    """Return a server's TLS: 1.2 at least, HTTP/1.1, a certificate (with what it is chained to) and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key, password="")  # without one, OpenSSL would ask at the terminal
    return context


class Certificates:
    """The certificates of a service that runs: those of ``folder``, by a ``clock`` and for what the ``device`` is
    called now.
    """

    def __init__(
        self, folder: Path, clock: Callable[[], datetime] = now, device: Callable[[], Names] = device_names
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._device = device
        self._context: ssl.SSLContext | None = None
        self._loaded = b""
        self._names: tuple[str, ...] = ()

    def context(self) -> ssl.SSLContext:
        """Return the TLS of this service, the same each time; its certificate is renewed first, where it is due.

        :class:`~edgekit.errors.ConfigError` where there is no authority or no certificate.
        """
        if self._context is None:
            self._renew()
            self._note(self._leaf())
            self._context = server_context(leaf_file(self._folder))
        return self._context

    def names(self) -> tuple[str, ...]:
        """Return the names and addresses that the certificate is for which is shown now; errors as of
        :meth:`context`.
        """
        self.context()
        return self._names

    async def renew_if_due(self) -> bool:
        """Renew the certificate where it is due, and show it from the next connection on. Whether a new one is shown.

        To be called once a day or more often (a clock that was set right is seen then), on the loop that accepts
        connections: a context must not change under another thread's hands. What may wait, for the disk or for whoever
        has the lock of the files, does so on a thread of its own. One that `edgekit tls make` has made meanwhile is
        taken as well. What goes wrong is logged, and the old one stays.
        """
        context = self.context()
        try:
            leaf = await on_own_thread(self._newer, "renew")
            if leaf is None:
                return False
            context.load_cert_chain(leaf_file(self._folder))
        except (EdgeKitError, OSError) as error:
            _log.error("The certificate in %s can't be renewed: %s", self._folder, error)
            return False
        self._note(leaf)
        _log.info("Callers are shown a new certificate, which lasts until %s", f"{leaf.ends:%Y-%m-%d}")
        return True

    def _newer(self) -> Leaf | None:
        """The certificate that there is by now, renewed where it is due; None where it is shown already."""
        self._renew()
        leaf = read_leaf(self._folder)
        return None if leaf is None or to_pem(leaf) == self._loaded else leaf

    def _note(self, leaf: Leaf) -> None:
        self._loaded, self._names = to_pem(leaf), leaf.names.words()

    def _leaf(self) -> Leaf:
        leaf = read_leaf(self._folder)
        if leaf is None:
            raise ConfigError(f"There is no certificate in {self._folder}", "Run: edgekit tls make")
        return leaf

    def _renew(self) -> None:
        authority, due = self._look()
        if not due.reason:
            return
        try:
            with locked(private_file(self._folder)):
                authority, due = self._look()  # somebody else may have renewed it meanwhile
                if due.reason:
                    _log.info("A new certificate is made: %s", due.reason)
                    write_leaf(self._folder, next_leaf(due, authority, self._clock()))
        except EdgeKitError as error:
            if due.leaf is None:
                raise
            _log.error("The certificate is due (%s), and no new one can be written: %s", due.reason, error.message)

    def _look(self) -> tuple[Authority, Due]:
        authority = read_authority(self._folder)
        if authority is None:
            raise ConfigError(f"There is no certificate authority in {self._folder}", "Run: edgekit tls make")
        return authority, examine(self._folder, authority, self._device(), self._clock())
