"""What is said in a conversation, sealed: JSON under that conversation's key, so that it goes when the key goes.

AES-256-GCM with a random nonce of 12 bytes before the text (NIST SP 800-38D: far below 2³² texts a key). What a sealed
text belongs to is its associated data: moved to another row, it opens no more.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edgekit.errors import EdgeKitError

_NONCE = 12


def seal(key: bytes, place: str, document: Mapping[str, Any]) -> bytes:
    """Seal a document of texts, numbers, lists and mappings for ``place``, as "turn ID"."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return seal_bytes(key, place, text.encode("utf-8", "surrogatepass"))


def unseal(key: bytes, place: str, sealed: bytes) -> dict[str, Any]:
    """Open what :func:`seal` sealed for the same place; :class:`~edgekit.errors.EdgeKitError` where it was changed."""
    document: dict[str, Any] = json.loads(unseal_bytes(key, place, sealed).decode("utf-8", "surrogatepass"))
    return document


def seal_bytes(key: bytes, place: str, content: bytes) -> bytes:
    """Seal bytes for ``place``: 28 bytes more."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, place.encode())


def unseal_bytes(key: bytes, place: str, sealed: bytes) -> bytes:
    """Open what :func:`seal_bytes` sealed; :class:`~edgekit.errors.EdgeKitError` where it was changed."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
    except (InvalidTag, ValueError):
        kind = place.partition(" ")[0]
        raise EdgeKitError(
            f"A {kind} that is kept is damaged: it is not what was written", "Restore a backup (edgekit restore)."
        ) from None
