"""Whether callers are met by TLS, and by which certificate: a given one, else the device's own where there is one."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edgekit.config.site import site_folder
from edgekit.errors import EdgeKitError


async def nothing_due() -> bool:
    """Renew nothing: there is no certificate, or somebody else's."""
    return False


@dataclass(frozen=True)
class Transport:
    """How callers are met: by TLS where there is a ``context``, in clear where there is none.

    ``renew`` is called now and then, on the loop that accepts connections; ``names`` gives the names and addresses that
    its certificate is for by then, ``until`` the last day of each certificate; ``warnings`` are for who starts the
    service.
    """

    context: ssl.SSLContext | None = None
    renew: Callable[[], Awaitable[object]] = nothing_due
    names: Callable[[], tuple[str, ...]] = tuple
    warnings: tuple[str, ...] = ()
    until: Callable[[], Mapping[str, datetime]] = dict


def transport(certificate: Path | None, key: Path | None) -> Transport:
    """Return TLS by a given ``certificate`` and its ``key``, or by the device's own authority, or none.

    :class:`~edgekit.errors.ConfigError` where a certificate is there and can't be used.
    """
    if certificate is not None and key is not None:
        from edgekit.serve.tls.certificates import server_context
        from edgekit.serve.tls.clock import now
        from edgekit.serve.tls.given import check_given

        given = check_given(certificate, key, now())
        return Transport(
            server_context(certificate, key),
            names=lambda: given.names,
            warnings=given.warnings,
            until=lambda: {"certificate": given.ends},
        )
    if not (site_folder() / "tls").exists():
        return Transport()
    from edgekit.serve.tls.certificates import Certificates
    from edgekit.serve.tls.make import tls_folder

    own = Certificates(tls_folder())
    return Transport(own.context(), own.renew_if_due, own.names, until=_own_dates)


def _own_dates() -> dict[str, datetime]:
    from edgekit.serve.tls.clock import now
    from edgekit.serve.tls.make import show, tls_folder

    try:
        state = show(tls_folder(), now())
    except EdgeKitError:  # as the log says, whenever it is to be renewed
        return {}
    dates = {"authority": state.authority.ends}
    return dates | ({"certificate": state.leaf.ends} if state.leaf else {})
