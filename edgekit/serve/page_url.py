"""Under which address people open the page, for links that commands make: by what a running service says of itself,
and by the site's settings, else the likeliest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edgekit.errors import InputError
from edgekit.serve.here import ServiceHere
from edgekit.serve.listening import is_loopback
from edgekit.serve.settings import Settings
from edgekit.serve.tls.leaf import leaf_file
from edgekit.serve.tls.names import device_names

PORT = 8080


@dataclass(frozen=True)
class PageUrl:
    """An address that a link begins with; ``is_told`` is False where nobody said that the page is there."""

    text: str
    is_told: bool


def given_url(text: str) -> str:
    """Return an address that was given, as a link begins with it; :class:`~edgekit.errors.InputError` for none."""
    try:
        parts = urlsplit(text)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:  # brackets with no address between
        right = False
    if not right or any(letter.isspace() for letter in text):
        raise InputError(f"{text[:80]!r} is no address of a page", "Give it as https://ward7.example:8080/")
    return text if text.endswith("/") else f"{text}/"


def page_url(site: Settings, folder: Path, service: ServiceHere | None) -> PageUrl:
    """Return the page's address, where ``folder`` is that of the certificates, and ``service`` is what runs.

    It is by the site's first name; else as the service tells it to others, or to this machine where it listens for that
    alone. A site with proxies is reached through them, by the usual port. Where no service runs, the port is the usual
    one, and without a name of the site's it is by one, or an address, of this machine that others can know where there
    is a certificate, else this machine's own.
    """
    if site.hosts and site.proxies:
        return PageUrl(_url(site.hosts[0], secure=True, port=None), is_told=True)
    if service is not None:
        told = (*service.others, service.url)[0]
        parts = urlsplit(told)
        named = _url(site.hosts[0], secure=parts.scheme == "https", port=parts.port) if site.hosts else told
        return PageUrl(named, is_told=True)
    certified = leaf_file(folder).exists()
    return PageUrl(_url(_likeliest_name(site, certified), secure=certified, port=PORT), is_told=False)


def _likeliest_name(site: Settings, certified: bool) -> str:
    if site.hosts:
        return site.hosts[0]
    names = device_names().words() if certified else ()
    reached = [name for name in names if {".", ":"} & set(name) and not is_loopback(name)]
    return reached[0] if reached else "127.0.0.1"


def _url(name: str, *, secure: bool, port: int | None) -> str:
    host = f"[{name}]" if ":" in name else name
    return f"{'https' if secure else 'http'}://{host}{'' if port is None else f':{port}'}/"
