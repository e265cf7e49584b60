"""Under which address people open the page: for links that are made while no service runs."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from edgekit.errors import InputError
from edgekit.serve.listening import is_loopback
from edgekit.serve.settings import Settings
from edgekit.serve.tls.leaf import leaf_file
from edgekit.serve.tls.names import device_names

PORT = 8080


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


def page_url(site: Settings, folder: Path) -> str:
    """Return the page's likeliest address, where ``folder`` is that of the certificates.

    It is by the site's first name; else, where there is a certificate, by a name or an address of this machine that
    others can know; else this machine's own. A site with proxies is reached through them, by the usual port.
    """
    certified = leaf_file(folder).exists()
    if site.hosts:
        secure = certified or bool(site.proxies)
        return _url(site.hosts[0], secure=secure, port=None if site.proxies else PORT)
    if not certified:
        return _url("127.0.0.1", secure=False, port=PORT)
    names = [name for name in device_names().words() if {".", ":"} & set(name) and not is_loopback(name)]
    return _url(names[0] if names else "127.0.0.1", secure=True, port=PORT)


def _url(name: str, *, secure: bool, port: int | None) -> str:
    host = f"[{name}]" if ":" in name else name
    return f"{'https' if secure else 'http'}://{host}{'' if port is None else f':{port}'}/"
