"""Pictures for the clients' scripts, written by the standard library alone."""

from __future__ import annotations

import base64
import struct
import zlib


def png(shade: int, side: int = 24) -> str:
    """Return a grey picture as a PNG file in base64."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + bytes((shade + row) % 256 for _ in range(side)) for row in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(file).decode()


def data_url(shade: int) -> str:
    """Return a grey picture as a data URL."""
    return f"data:image/png;base64,{png(shade)}"
