"""Under which names the service answers, so that no web page can make a browser ask it in its reader's stead.

Loopback is no boundary: a page from anywhere may send requests to 127.0.0.1, or have its own name point there. So a
request's ``Host`` must be one of this machine's names, or an address (a page can't choose what an address means), and
an ``Origin``, which browsers add, must be the service itself; so must ``Sec-Fetch-Site``, unless a link is followed.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable
from urllib.parse import urlsplit

from edgekit.serve.refusal import Refusal


class Hosts:
    """The names of this machine, with those that the site adds, and those that its certificate is for by then."""

    def __init__(self, names: Iterable[str] = (), certified: Callable[[], Collection[str]] = tuple) -> None:
        own = socket.gethostname().lower()
        machine = ("localhost", own, own.partition(".")[0], f"{own.partition('.')[0]}.local")
        self._named = {_plain(name) for name in names}
        self._names = {*machine, *self._named}
        self._certified = certified

    def require(self, host: str | None, origin: str | None) -> None:
        """Refuse (status 403) a request for another host, or one that a page of another origin sends."""
        if host is None or not self._is_ours(host):
            raise Refusal(
                403,
                "The service does not answer under this host name. Its site's 'hosts' (serve.toml) may add it.",
                "host_not_allowed",
            )
        if origin is not None and not self._same(origin, host):
            raise Refusal(403, "Pages of other origins may not ask this service.", "origin_not_allowed")

    def _is_ours(self, host: str) -> bool:
        name, _ = _split(host)
        return name in self._names or _is_address(name) or name in {_plain(word) for word in self._certified()}

    def _same(self, origin: str, host: str) -> bool:
        try:
            parsed = urlsplit(origin)
        except ValueError:  # brackets with no address between
            return False
        if parsed.scheme not in ("http", "https"):
            return False
        page = _split(parsed.netloc, parsed.scheme)
        return page == _split(host, parsed.scheme) or page[0] in self._named  # behind a proxy, the host may be another


def require_own_page(site: str | None, *, is_visit: bool) -> None:
    """Refuse (status 403) what a page of another origin asks for, as browsers tell it in ``Sec-Fetch-Site`` (W3C, Fetch
    Metadata Request Headers): also where they send no ``Origin``, as for a picture.

    An address that its reader opens (``is_visit``) may stand on any page.
    """
    if site not in (None, "same-origin", "none") and not (is_visit and site in ("same-site", "cross-site")):
        raise Refusal(403, "Pages of other origins may not ask this service.", "origin_not_allowed")


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _split(host: str, scheme: str = "") -> tuple[str, str]:
    """A host and its port, in lower case; without one, the scheme's."""
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port or not port.isdigit():
        name, port = host, {"http": "80", "https": "443"}.get(scheme, "")
    return _plain(name).strip("[]"), port


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
