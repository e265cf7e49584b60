"""The certificate that an installed service shows: whose, for what, and for how many days yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from edgekit.deploy.layout import Layout
from edgekit.deploy.unit.settings import CREDENTIALS
from edgekit.errors import EdgeKitError

SOON_DAYS = 30
"""From here on somebody has to do something about it."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A certificate.

    - ``given``: a hospital's own, in root's folder; else the device's, by its own authority
    - ``file``; ``fingerprint``: SHA-256, of an authority where there is one: that is what people compare
    - ``names`` that it is for; ``ends``: its last moment
    - ``days_left``: until what somebody has to renew ends, that is a given certificate or an authority: the device's
      own certificates renew themselves
    - ``problem``: why it can't be looked at, with all else empty; "" where it can
    """

    given: bool
    file: Path
    fingerprint: str = ""
    names: tuple[str, ...] = ()
    ends: str = ""
    days_left: int = 0
    problem: str = ""

    @property
    def warning(self) -> str:
        """What is to be done, in a sentence; "" where nothing is."""
        if self.problem or self.days_left >= SOON_DAYS:
            return ""
        when = "has ended" if self.days_left < 0 else f"ends in {self.days_left} days"
        renew = "have it renewed, then: systemctl restart edgekit" if self.given else "edgekit tls make --force"
        return f"{self.file} {when}: {renew}"

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**vars(self), "file": str(self.file), "names": list(self.names), "warning": self.warning}


def shown_by(layout: Layout) -> Shown | None:
    """Look at the certificate of an installation; None where it has none. Nothing is raised."""
    given = layout.at(CREDENTIALS / "edgekit.tls.crt")
    own = layout.configuration / "tls"
    is_given = False
    try:
        is_given = given.is_file()
        if is_given:
            return _given(given)
        return _own(own) if own.exists() else None
    except (OSError, ValueError, EdgeKitError, ImportError) as error:
        why = error.message if isinstance(error, EdgeKitError) else "only root may look" if _shut(error) else str(error)
        return Shown(given=is_given, file=given if is_given else own, problem=why)


def _shut(error: Exception) -> bool:
    return isinstance(error, PermissionError)


def _given(file: Path) -> Shown:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    from edgekit.serve.tls.leaf import names_of

    first = x509.load_pem_x509_certificates(file.read_bytes())[0]
    ends = first.not_valid_after_utc
    return Shown(
        given=True,
        file=file,
        fingerprint=first.fingerprint(hashes.SHA256()).hex(":").upper(),
        names=names_of(first).words(),
        ends=_text(ends),
        days_left=_days(ends),
    )


def _own(folder: Path) -> Shown | None:
    from edgekit.serve.tls.authority import public_file, read_authority
    from edgekit.serve.tls.leaf import read_leaf

    authority = read_authority(folder)
    if authority is None:
        return None
    leaf = read_leaf(folder)
    return Shown(
        given=False,
        file=public_file(folder),
        fingerprint=authority.fingerprint,
        names=(leaf or authority).names.words(),
        ends=_text((leaf or authority).ends),
        days_left=_days(authority.ends),
    )


def _days(ends: datetime) -> int:
    from edgekit.serve.tls.clock import now

    return (ends - now()).days


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
