"""Whether callers are met by TLS, and by which certificate: a given one, else the device's own where there is one."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from edgekit.config.site import site_folder


async def nothing_due() -> bool:
    """Renew nothing: there is no certificate, or somebody else's."""
    return False


@dataclass(frozen=True)
class Transport:
    """How callers are met: by TLS where there is a ``context``, in clear where there is none.

    ``renew`` is called now and then, on the loop that accepts connections; ``names`` gives the names and addresses that
    its certificate is for by then; ``warnings`` are for who starts the service.
    """

    context: ssl.SSLContext | None = None
    renew: Callable[[], Awaitable[object]] = nothing_due
    names: Callable[[], tuple[str, ...]] = tuple
    warnings: tuple[str, ...] = ()


def transport(certificate: Path | None, key: Path | None) -> Transport:
    """Return TLS by a given ``certificate`` and its ``key``, or by the device's own authority, or none.

    :class:`~edgekit.errors.ConfigError` where a certificate is there and can't be used.
    """
    if certificate is not None and key is not None:
        from edgekit.serve.tls.certificates import server_context
        from edgekit.serve.tls.clock import now
        from edgekit.serve.tls.given import check_given

        given = check_given(certificate, key, now())
        return Transport(server_context(certificate, key), names=lambda: given.names, warnings=given.warnings)
    if not (site_folder() / "tls").exists():
        return Transport()
    from edgekit.serve.tls.certificates import Certificates
    from edgekit.serve.tls.make import tls_folder

    own = Certificates(tls_folder())
    return Transport(own.context(), own.renew_if_due, own.names)
